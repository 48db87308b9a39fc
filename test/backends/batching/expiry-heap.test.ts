import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ExpiryHeap } from '../../../src/backends/batching/expiry-heap.ts';
import { BatchItem } from '../../../src/backends/batching/item.ts';

describe('ExpiryHeap', () => {
  test('always knows the earliest of what is left', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.boolean()), { maxLength: 60 }), (facts) => {
        const heap = new ExpiryHeap<BatchItem>();
        const left = new Set<BatchItem>();
        for (const [expiresMs, removesOne] of facts) {
          const item = new BatchItem({ rows: 1, key: '' });
          item.expiresMs = expiresMs;
          heap.add(item);
          left.add(item);
          const gone = removesOne ? [...left][expiresMs % left.size]! : undefined;
          if (gone !== undefined) {
            heap.remove(gone);
            left.delete(gone);
          }
          assert.equal(heap.nextMs, Math.min(...[...left].map((one) => one.expiresMs), Infinity));
        }
      }),
    );
  });
});
