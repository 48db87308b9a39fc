import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { batchKey } from '../../../src/backends/host/batch-key.ts';
import type { DecodedRequest } from '../../../src/backends/host/body-codec.ts';
import { calledSignature } from '../../../src/backends/host/served-signature.ts';
import type { NamedSignature } from '../../../src/protocol/tensors/named-signature.ts';

const bytes = new Uint8Array(4);

function keyOf(wanted: readonly string[], given: readonly string[] = [], signature = 'default'): string {
  const spec = (name: string) => ({ name, datatype: 'FP32' as const, shape: [-1] });
  const own: NamedSignature = {
    name: signature,
    method: 'predict',
    inputs: ['x', 'y', 'x,y'].map(spec),
    outputs: ['a', 'b', 'a,b'].map(spec),
  };
  const decoded: DecodedRequest = {
    request: {
      inputs: given.map((name) => ({ ...spec(name), shape: [1], parts: [bytes], byteLength: 4 })),
      outputs: wanted.map((name) => ({ name, binary: false, classCount: 0 })),
      batchSize: 1,
      parameters: { priority: 0, timeoutUs: 0, sequenceStart: false, sequenceEnd: false, other: new Map() },
    },
    signature: { own, called: calledSignature(own), schema: { maxBatchSize: 8, signature: own } },
    batched: true,
  };
  return batchKey(decoded, { maxBatchRows: 8 });
}

describe('batchKey', () => {
  test('is another one for other outputs, or others first, whatever their names hold', () => {
    const wishes = [['a', 'b'], ['b', 'a'], ['a,b'], ['a'], ['a', 'b', 'a,b'], ['a,b', 'b', 'a']];
    assert.equal(new Set(wishes.map((wanted) => keyOf(wanted))).size, wishes.length);
  });

  test('is another one for other inputs and signatures, whatever their names hold', () => {
    const keys = [keyOf([], ['x', 'y']), keyOf([], ['x']), keyOf([], ['x:FP32;y']), keyOf([], ['y'], 'default;x:FP32')];
    assert.equal(new Set(keys).size, keys.length);
  });

  test('is the same for the same', () => {
    assert.equal(keyOf(['a,b'], ['x']), keyOf(['a,b'], ['x']));
  });
});
