import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MessageCursor } from '../../../../src/backends/engines/tensorflow/message-cursor.ts';
import { WireWriter } from '../../../../src/protocol/protobuf/wire-writer.ts';

test('MessageCursor reads what was written, numbers up to 2^53 exactly', () => {
  const field = fc.oneof(
    fc.record({ field: fc.integer({ min: 1, max: 3_000 }), number: fc.maxSafeInteger() }),
    fc.record({ field: fc.integer({ min: 1, max: 3_000 }), bytes: fc.uint8Array({ maxLength: 700 }) }),
  );
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const writer = new WireWriter();
      for (const one of fields) {
        if ('number' in one) writer.int64(one.field, BigInt(one.number));
        else writer.bytes(one.field, [one.bytes]);
      }
      const cursor = new MessageCursor(writer.joined());
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
  const writer = new WireWriter();
  writer.float(2, 0.5);
  writer.message(3, (inner) => inner.string(1, 'größe'));
  const cursor = new MessageCursor(writer.joined());
  assert.ok(cursor.next() && cursor.next());
  const inner = cursor.message();
  assert.ok(inner.next());
  assert.equal(inner.text(), 'größe');
});

test('MessageCursor throws RangeError on what is no message', () => {
  assert.throws(() => new MessageCursor(Uint8Array.of(0x0a, 9, 1)).next(), RangeError);
  assert.throws(() => new MessageCursor(Uint8Array.of(0x0b)).next(), RangeError);
});
