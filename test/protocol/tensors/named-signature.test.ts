import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  defaultSignature,
  type NamedSignature,
  onlySignature,
  type SignatureMethod,
} from '../../../src/protocol/tensors/named-signature.ts';

function named(...names: readonly (readonly [string, SignatureMethod])[]): Map<string, NamedSignature> {
  return new Map(names.map(([name, method]) => [name, { name, method, inputs: [], outputs: [] }]));
}

test('defaultSignature is the one of the usual name, else the only one, else the first that predicts', () => {
  const cases = [
    [named(['a', 'predict'], ['serving_default', 'classify']), 'serving_default'],
    [named(['a', 'regress']), 'a'],
    [named(['a', 'regress'], ['b', 'predict'], ['c', 'predict']), 'b'],
    [named(['a', 'regress'], ['b', 'classify']), 'a'],
  ] as const;
  for (const [signatures, expected] of cases) assert.equal(defaultSignature(signatures).name, expected);
});

test('onlySignature gives a model that has no names the usual one', () => {
  const only = onlySignature({ inputs: [], outputs: [] });
  assert.deepEqual([...only.keys()], ['serving_default']);
  assert.equal(defaultSignature(only).method, 'predict');
});
