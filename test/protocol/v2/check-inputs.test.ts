import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SkeinError } from '../../../src/protocol/errors.ts';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { checkInputs } from '../../../src/protocol/v2/check-inputs.ts';
import { errorText } from '../../../src/protocol/v2/status.ts';
import { schema, simple, simpleIdentity, spec } from './recorded-models.ts';

function int32(name: string, shape: number[], byteLength = 64): Tensor {
  return { name, datatype: 'INT32', shape, parts: [new Uint8Array(byteLength)], byteLength };
}

/** What every dialect hands over: tensors in the order of the request, and the id. */
function textOf(tensors: readonly Tensor[], model = simple, requestId?: string): string {
  try {
    checkInputs(tensors, model, requestId);
  } catch (fault) {
    return errorText(fault as SkeinError);
  }
  return 'was accepted';
}

describe('checkInputs', () => {
  test('orders the inputs as the model does and leaves their bytes alone', () => {
    const [first, second] = [int32('INPUT0', [1, 16]), int32('INPUT1', [1, 16])];
    const checked = checkInputs([second, first], simple);
    assert.deepEqual([checked.inputs[0], checked.inputs[1], checked.batchSize], [first, second, 1]);
    assert.equal(checked.inputs[0]!.parts, first.parts);
  });

  test('refuses dimensions left open, which only some dialects can say', () => {
    const open = { ...int32('INPUT0', [1, -1]), datatype: 'BYTES' as const };
    const expected =
      "All input dimensions should be specified for input 'INPUT0' for model 'simple_identity', got [1,-1]";
    assert.equal(textOf([open], simpleIdentity), expected);
  });

  test('names the range where inputs are optional, and a required one that is missing', () => {
    const optional = { ...spec('INPUT1', 'INT32', [-1, 16]), optional: true };
    const model = schema('m', 8, [spec('INPUT0', 'INT32', [-1, 16]), optional], []);
    assert.equal(
      textOf([], model),
      "expected number of inputs between 1 and 2 but got 0 inputs for model 'm'. Got input(s) [], but missing required input(s) ['INPUT0']. Please provide all required input(s).",
    );
    assert.equal(
      textOf([int32('INPUT1', [1, 16])], model),
      "expected number of inputs between 1 and 2 but got 1 inputs for model 'm'. Got input(s) ['INPUT1'], but missing required input(s) ['INPUT0']. Please provide all required input(s).",
    );
  });

  test('speaks of the last input first, as Triton does, and of the id where there is one', () => {
    const wrong = [int32('INPUT0', [1, 8]), int32('INPUT1', [1, 8])];
    assert.match(textOf(wrong), /^unexpected shape for input 'INPUT1'/);
    assert.match(textOf(wrong, simple, 'r7'), /^\[request id: r7\] unexpected shape for input 'INPUT1'/);
    assert.match(textOf(wrong, simple, ''), /^unexpected shape/);
  });

  test('leaves the note on batches out where the model does not batch', () => {
    const model = schema('m', 0, [spec('INPUT0', 'INT32', [16])], []);
    assert.equal(
      textOf([int32('INPUT0', [8])], model),
      "unexpected shape for input 'INPUT0' for model 'm'. Expected [16], got [8].",
    );
  });

  test('takes a scalar as [] and as [1], and as nothing else', () => {
    const model = schema('m', 0, [spec('INPUT0', 'INT32', [])], []);
    for (const shape of [[], [1]]) assert.equal(checkInputs([int32('INPUT0', shape, 4)], model).inputs.length, 1);
    assert.match(textOf([int32('INPUT0', [2], 8)], model), /Expected \[\], got \[2\]/);
    assert.match(textOf([int32('INPUT0', [1, 1], 4)], model), /Expected \[\], got \[1,1\]/);
  });

  test('takes a model without inputs', () => {
    assert.deepEqual(checkInputs([], schema('m', 8, [], [])), { inputs: [], batchSize: 1 });
  });
});
