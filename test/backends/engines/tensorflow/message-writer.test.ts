import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MessageCursor } from '../../../../src/backends/engines/tensorflow/message-cursor.ts';
import { MessageWriter } from '../../../../src/backends/engines/tensorflow/message-writer.ts';

test('MessageCursor reads what MessageWriter wrote', () => {
  const field = fc.oneof(
    fc.record({ field: fc.integer({ min: 1, max: 3_000 }), number: fc.maxSafeInteger() }),
    fc.record({ field: fc.integer({ min: 1, max: 3_000 }), bytes: fc.uint8Array({ maxLength: 300 }) }),
  );
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const writer = new MessageWriter();
      for (const one of fields) {
        if ('number' in one) writer.varint(one.field, one.number);
        else writer.bytes(one.field, one.bytes);
      }
      const cursor = new MessageCursor(writer.finish());
      for (const one of fields) {
        assert.ok(cursor.next());
        assert.equal(cursor.field, one.field);
        if ('number' in one) assert.equal(cursor.value, one.number);
        else assert.deepEqual(new Uint8Array(cursor.bytes()), one.bytes);
      }
      assert.equal(cursor.next(), false);
    }),
  );
});

test('MessageCursor steps over fields of fixed size and goes into messages', () => {
  const writer = new MessageWriter();
  writer.double(1, 0.5);
  writer.float(2, 0.5);
  writer.message(3, (inner) => inner.text(1, 'größe'));
  const cursor = new MessageCursor(writer.finish());
  assert.ok(cursor.next() && cursor.next() && cursor.next());
  const inner = cursor.message();
  assert.ok(inner.next());
  assert.equal(inner.text(), 'größe');
});
