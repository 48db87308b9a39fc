import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeExample, encodeExample, type Feature } from '../../../src/protocol/tfserving/example.ts';

const features: fc.Arbitrary<Feature> = fc.oneof(
  fc.array(fc.uint8Array()).map((values) => ({ kind: 'bytes' as const, values })),
  fc.array(fc.float()).map((values) => ({ kind: 'float' as const, values })),
  fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map((values) => ({ kind: 'int64' as const, values })),
  fc.constant({ kind: 'none' as const, values: [] }),
);

const plain = (feature: Feature) =>
  feature.kind === 'bytes' ? { ...feature, values: feature.values.map((value) => Buffer.from(value)) } : feature;

describe('decodeExample', () => {
  test('reads what encodeExample wrote', () => {
    const examples = fc.array(fc.tuple(fc.string({ unit: 'binary' }), features)).map((entries) => new Map(entries));
    fc.assert(
      fc.property(examples, (example) => {
        const read = decodeExample([encodeExample(example)]);
        assert.deepEqual([...read.keys()], [...example.keys()]);
        for (const [name, feature] of read) assert.deepEqual(plain(feature), plain(example.get(name)!));
      }),
    );
  });

  test('merges a context that stands before an example', () => {
    const context = encodeExample(
      new Map([
        ['c', { kind: 'float', values: [1] }],
        ['e', { kind: 'float', values: [2] }],
      ]),
    );
    const example = encodeExample(new Map([['e', { kind: 'float', values: [3] }]]));
    const merged = decodeExample([Buffer.concat([context, example])]);
    assert.deepEqual([merged.get('c')?.values, merged.get('e')?.values], [[1], [3]]);
  });
});
