import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { reshaped, reversed, sameElementCount } from '../../../src/fleet/repository/reshape.ts';
import { elementCount } from '../../../src/protocol/tensors/tensor.ts';

describe('reshaped', () => {
  test('keeps the batch in front', () => {
    assert.deepEqual(reshaped([7, 1000], { batched: true, from: [1000], to: [1, 1000, 1, 1] }), [7, 1, 1000, 1, 1]);
    assert.deepEqual(reshaped([7, 1], { batched: true, from: [1], to: [] }), [7]);
    assert.deepEqual(reshaped([1], { batched: false, from: [1], to: [] }), []);
    assert.deepEqual(reshaped([], { batched: false, from: [], to: [1] }), [1]);
  });

  test('puts free dimensions in their order', () => {
    const reshape = { batched: false, from: [2, 4, -1, 6], to: [8, -1, 1, 6] };
    assert.deepEqual(reshaped([2, 4, 9, 6], reshape), [8, 9, 1, 6]);
  });

  test('keeps the number of elements, and reversed() undoes it', () => {
    // Dimensions split and joined at random between free ones: what sameElementCount admits.
    const stretch = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 });
    const stretches = fc.array(stretch, { minLength: 1, maxLength: 4 });
    const joined = (parts: number[][], apart: boolean) =>
      parts.flatMap((part, i) => [...(i === 0 ? [] : [-1]), ...(apart ? part : [elementCount(part)])]);
    fc.assert(
      fc.property(stretches, fc.boolean(), fc.nat(3), fc.infiniteStream(fc.nat(5)), (parts, batched, batch, sizes) => {
        const [from, to] = [joined(parts, true), joined(parts, false)];
        assert.ok(sameElementCount(from, to));
        const filled = from.map((dimension) => (dimension === -1 ? (sizes.next().value as number) : dimension));
        const shape = batched ? [batch, ...filled] : filled;
        const reshape = { batched, from, to };
        const engine = reshaped(shape, reshape);
        assert.equal(elementCount(engine), elementCount(shape));
        assert.deepEqual(reshaped(engine, reversed(reshape)), shape);
      }),
    );
  });
});

describe('sameElementCount', () => {
  for (const [dims, reshape, same] of [
    [[1], [], true],
    [[2, 3], [6], true],
    [[2, 3], [5], false],
    [[-1], [-1, 1], true],
    [[-1], [1], false],
    [[-1, -1], [-1], false],
    [[2, -1, 3], [2, -1, 1, 3], true],
    [[2, -1, 3], [3, -1, 2], false],
  ] as const) {
    test(`says ${same} for [${dims}] and [${reshape}]`, () => assert.equal(sameElementCount(dims, reshape), same));
  }
});
