import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StagingBuffers } from '../../../../src/backends/engines/onnx/staging-buffers.ts';

test('StagingBuffers hands out buffers that are large enough, never one twice, and keeps within its bound', () => {
  const operation = fc.oneof(fc.record({ take: fc.nat(100_000) }), fc.record({ giveBack: fc.nat(100) }));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), fc.nat(300_000), (operations, limitBytes) => {
      const buffers = new StagingBuffers(limitBytes);
      const out: ArrayBuffer[] = [];
      for (const one of operations) {
        if ('take' in one) {
          const buffer = buffers.take(one.take);
          assert.ok(buffer.byteLength >= one.take && buffer.byteLength >= 128);
          assert.ok(!out.includes(buffer), 'handed out twice');
          out.push(buffer);
        } else if (out.length > 0) buffers.giveBack(out.splice(one.giveBack % out.length, 1)[0]!);
        assert.ok(buffers.keptBytes >= 0 && buffers.keptBytes <= limitBytes);
      }
    }),
  );
});

test('StagingBuffers uses a buffer again for a size like it', () => {
  const buffers = new StagingBuffers(4_000_000);
  const first = buffers.take(600_000);
  buffers.giveBack(first);
  assert.equal(buffers.take(700_000), first);
  assert.notEqual(buffers.take(700_000), first);
});
