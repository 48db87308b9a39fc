import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { completeConfig, completeFurtherSignature } from '../../../src/fleet/repository/complete-config.ts';
import { writtenInstanceCount } from '../../../src/fleet/repository/complete-instances.ts';
import { configToJson } from '../../../src/fleet/repository/config-json.ts';
import { parseModelConfig } from '../../../src/fleet/repository/parse-model-config.ts';
import { reshaped } from '../../../src/fleet/repository/reshape.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import type { Datatype } from '../../../src/protocol/tensors/datatype.ts';
import type { Signature, TensorSpec } from '../../../src/protocol/tensors/tensor.ts';
import { tritonCompletion } from './triton-completion.ts';

const tensor = (name: string, shape: number[], datatype: Datatype = 'FP32'): TensorSpec => ({ name, datatype, shape });
const model = (input: number[], output: number[]): Signature => ({
  inputs: [tensor('x', input)],
  outputs: [tensor('y', output)],
});

function complete(text: string | undefined, signature: Signature, settings = tritonCompletion) {
  const config = text === undefined ? undefined : parseModelConfig(text, 'm').config;
  return completeConfig(config, 'm', { signature, file: 'model.onnx' }, settings);
}

function refusal(text: string, signature: Signature): string {
  try {
    complete(text, signature);
  } catch (fault) {
    assert.ok(fault instanceof SkeinError && fault.code === 'config_mismatch', String(fault));
    return fault.message;
  }
  assert.fail('it was completed');
}

const both = (input: string, output: string, more = '') =>
  `${more} input { name: "x" data_type: TYPE_FP32 ${input} } output { name: "y" data_type: TYPE_FP32 ${output} }`;

describe('completeConfig', () => {
  test('lets a model batch dynamically where every tensor has a free first dimension', () => {
    const { config, schema } = complete(undefined, model([-1, 3, 4], [-1, 5]));
    assert.equal(config.maxBatchSize, 4);
    assert.deepEqual(config.inputs[0]?.dims, [3, 4]);
    assert.deepEqual(config.dynamicBatching?.preferredBatchSizes, [4]);
    assert.deepEqual(schema, { maxBatchSize: 4, signature: model([-1, 3, 4], [-1, 5]) });
  });

  test('takes the default of the largest batch from the settings; at most 1 means no dynamic batching', () => {
    const with64 = complete(undefined, model([-1, 2], [-1, 2]), { ...tritonCompletion, defaultMaxBatchSize: 64 });
    assert.deepEqual(with64.config.dynamicBatching?.preferredBatchSizes, [64]);
    const with1 = complete(undefined, model([-1, 2], [-1, 2]), { ...tritonCompletion, defaultMaxBatchSize: 1 });
    assert.deepEqual([with1.config.maxBatchSize, with1.config.dynamicBatching], [1, undefined]);
    const with0 = complete(undefined, model([-1, 2], [-1, 2]), { ...tritonCompletion, defaultMaxBatchSize: 0 });
    assert.deepEqual([with0.schema.maxBatchSize, with0.schema.signature], [0, model([-1, 2], [-1, 2])]);
  });

  test('does not let a model batch of which any tensor has a fixed first dimension', () => {
    const { config, schema } = complete(undefined, model([-1, 3], [1, 5]));
    assert.deepEqual([config.maxBatchSize, config.dynamicBatching], [0, undefined]);
    assert.deepEqual(schema.signature, model([-1, 3], [1, 5]));
  });

  test('shows a batch of scalars as dims [1] and tells how the engine sees it', () => {
    const { config, schema, inputReshapes, outputReshapes } = complete(undefined, model([-1], [-1]));
    assert.deepEqual([config.inputs[0]?.dims, config.inputs[0]?.reshape], [[1], []]);
    assert.deepEqual(schema.signature, model([-1, 1], [-1, 1]));
    assert.deepEqual(inputReshapes.get('x'), { batched: true, from: [1], to: [] });
    assert.deepEqual(outputReshapes.get('y'), { batched: true, from: [], to: [1] });
  });

  test('leaves a scalar of a model that does not batch a scalar, and shows it as [1]', () => {
    const { config, schema, inputReshapes } = complete(undefined, model([], []));
    assert.deepEqual(schema.signature, model([], []));
    assert.deepEqual(reshaped([1], inputReshapes.get('x')!), []);
    assert.deepEqual((configToJson(config)['input'] as { dims: number[] }[])[0]?.dims, [1]);
  });

  test('takes a scalar for the [1] as which a configuration lists it', () => {
    const { schema, inputReshapes, outputReshapes } = complete(both('dims: 1', 'dims: 1'), model([], []));
    assert.deepEqual(schema.signature, model([1], [1]));
    assert.deepEqual(inputReshapes.get('x'), { batched: false, from: [1], to: [] });
    assert.deepEqual(outputReshapes.get('y'), { batched: false, from: [], to: [1] });
  });

  test('only checks a configuration that lists both sides, and adds no batching to it', () => {
    const { config } = complete(both('dims: 3', 'dims: 5', 'max_batch_size: 8'), model([-1, 3], [-1, 5]));
    assert.deepEqual([config.maxBatchSize, config.dynamicBatching], [8, undefined]);
    const unbatched = complete(both('dims: [2, 3]', 'dims: [-1, 5]'), model([-1, 3], [-1, 5]));
    assert.deepEqual(unbatched.schema.signature, model([2, 3], [-1, 5]));
  });

  test('takes the side that is missing from the model', () => {
    const { config } = complete(
      'max_batch_size: 2 output { name: "y" data_type: TYPE_FP32 dims: 5 label_filename: "l" }',
      model([-1, 3], [-1, 5]),
    );
    assert.deepEqual(config.inputs, [
      { name: 'x', dataType: 'FP32', dims: [3], format: 'FORMAT_NONE', optional: false },
    ]);
    assert.equal(config.outputs[0]?.labelFilename, 'l');
    assert.deepEqual(config.dynamicBatching?.preferredBatchSizes, [2]);
  });

  test('keeps the dynamic batching that was written', () => {
    const { config } = complete(
      'dynamic_batching { preferred_batch_size: 2 max_queue_delay_microseconds: 7 }',
      model([-1, 3], [-1, 5]),
    );
    assert.deepEqual([config.dynamicBatching?.preferredBatchSizes, config.dynamicBatching?.maxQueueDelayUs], [[2], 7]);
  });

  test('honours a reshape of both sides', () => {
    const text = both('dims: [3, 4] reshape { shape: [1, 12] }', 'dims: 5 reshape { shape: [1, 5, 1] }');
    const { schema, inputReshapes, outputReshapes } = complete(text, model([1, 12], [1, 5, 1]));
    assert.deepEqual(schema.signature, model([3, 4], [5]));
    assert.deepEqual(inputReshapes.get('x'), { batched: false, from: [3, 4], to: [1, 12] });
    assert.deepEqual(outputReshapes.get('y'), { batched: false, from: [1, 5, 1], to: [5] });
  });

  test('lists inputs that a model can do without only where it does not batch', () => {
    const optional = { ...tensor('w', [2]), optional: true };
    const fixed = complete(undefined, { inputs: [tensor('x', [2]), optional], outputs: [tensor('y', [2])] });
    assert.deepEqual(fixed.schema.signature.inputs, [tensor('x', [2]), optional]);
    const batched = complete(undefined, { inputs: [tensor('x', [-1]), optional], outputs: [tensor('y', [-1])] });
    assert.deepEqual([batched.config.maxBatchSize, batched.config.inputs.map(({ name }) => name)], [4, ['x']]);
  });

  test('leaves zero dimensions of the model itself alone', () => {
    assert.deepEqual(complete(undefined, model([0, 2], [2])).schema.signature.inputs[0]?.shape, [0, 2]);
  });

  test('lets a configuration name fewer outputs than the model has', () => {
    const signature = { inputs: [tensor('x', [2])], outputs: [tensor('y', [2]), tensor('z', [3])] };
    assert.deepEqual(complete(both('dims: 2', 'dims: 2'), signature).schema.signature.outputs, [tensor('y', [2])]);
  });

  test('fills in instance groups as Triton does', () => {
    const groups = (text: string, hasGpu = false) =>
      complete(text, model([2], [2]), { ...tritonCompletion, hasGpu }).config.instanceGroups.map(
        ({ name, kind, count }) => ({ name, kind, count }),
      );
    assert.deepEqual(groups(''), [{ name: 'm', kind: 'KIND_CPU', count: 2 }]);
    assert.deepEqual(groups('instance_group [ { count: 3 }, { name: "b" kind: KIND_GPU } ]'), [
      { name: 'm_0', kind: 'KIND_CPU', count: 3 },
      { name: 'b', kind: 'KIND_GPU', count: 1 },
    ]);
    assert.deepEqual(groups('', true), [{ name: 'm', kind: 'KIND_GPU', count: 1 }]);
  });

  for (const [what, text, signature, message] of [
    [
      'an input of another type',
      both('dims: 3', 'dims: 5').replace('TYPE_FP32', 'TYPE_STRING'),
      model([3], [5]),
      "unable to load model 'm', configuration expects datatype TYPE_STRING for input 'x', model provides TYPE_FP32",
    ],
    [
      'an unknown output',
      both('dims: 3', 'dims: 5').replace('"y"', '"z"'),
      model([3], [5]),
      "unexpected inference output 'z', allowed outputs are: y",
    ],
    [
      'an unknown input',
      both('dims: 3', 'dims: 5').replace('output', 'input { name: "q" data_type: TYPE_FP32 dims: 1 } output'),
      model([3], [5]),
      "unexpected inference input 'q', allowed inputs are: x",
    ],
    [
      'a missing input',
      both('dims: 3', 'dims: 5'),
      { inputs: [tensor('x', [3]), tensor('w', [1])], outputs: [tensor('y', [5])] },
      "unable to load model 'm', configuration expects 1 inputs, model provides 2: 'w' must be listed",
    ],
    [
      'other dims',
      both('dims: 4', 'dims: 5', 'max_batch_size: 2'),
      model([-1, 3], [-1, 5]),
      "model 'm', tensor 'x': the model expects 2 dimensions (shape [-1,3]) but the model configuration specifies 2 dimensions (an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, making complete shape [-1,4])",
    ],
    [
      'another rank',
      both('dims: [3, 1]', 'dims: 5'),
      model([3], [5]),
      "model 'm', tensor 'x': the model expects 1 dimensions (shape [3]) but the model configuration specifies 2 dimensions (shape [3,1])",
    ],
    [
      'an output that is narrower than the model',
      both('dims: 3', 'dims: 5'),
      model([3], [-1]),
      "model 'm', tensor 'y': the model expects 1 dimensions (shape [-1]) but the model configuration specifies 1 dimensions (shape [5])",
    ],
    [
      'a batch of a model that has none',
      both('dims: 3', 'dims: 5', 'max_batch_size: 2'),
      model([1, 3], [1, 5]),
      "model 'm', tensor 'x': for the model to support batching the shape should have at least 1 dimension and the first dimension must be -1; but shape expected by the model is [1,3]",
    ],
    [
      'a batch of a model that has none, without tensors',
      'max_batch_size: 2',
      model([1, 3], [1, 5]),
      "autofill failed for model 'm': model does not support batching while non-zero max_batch_size is specified",
    ],
    [
      'a scalar that is listed as more',
      both('dims: [1, 2]', 'dims: 5'),
      model([], [5]),
      "unable to load model 'm', scalar tensor 'x', should only provide 1 in the model configuration when the model doesn't support batching. Model configuration provided: [1,2].",
    ],
    [
      'an optional input of a model that batches',
      both('dims: 3 optional: true', 'dims: 5', 'max_batch_size: 2'),
      model([-1, 3], [-1, 5]),
      "unable to load model 'm', optional input 'x' is not supported for models that support batching",
    ],
    [
      'a preferred size above the batch that was filled in',
      'dynamic_batching { preferred_batch_size: 5 }',
      model([-1, 3], [-1, 5]),
      'dynamic batching preferred size must be <= max batch size for m',
    ],
    [
      'an empty reshape without batching',
      both('dims: 1 reshape { }', 'dims: 5'),
      model([], [5]),
      "model input 'x' cannot have empty reshape for non-batching model as scalar tensors are not supported for m",
    ],
    [
      'a backend that contradicts the platform',
      'platform: "onnxruntime_onnx" backend: "tensorflow"',
      model([3], [5]),
      "unexpected 'platform' and 'backend' pair, got:onnxruntime_onnx, tensorflow for m",
    ],
  ] as const) {
    test(`refuses ${what} in Triton's words`, () => assert.equal(refusal(text, signature), message));
  }
});

describe('a tensor of any rank', () => {
  const open: Signature = { inputs: [{ ...tensor('x', [-1]), anyRank: true }], outputs: [tensor('y', [-1])] };

  test('keeps the model from batching by itself, and stays free for clients', () => {
    const { schema } = complete(undefined, open);
    assert.equal(schema.maxBatchSize, 0);
    assert.deepEqual(schema.signature, open);
  });

  test('takes the shape that a configuration writes', () => {
    const { schema } = complete(both('dims: [ 2, 3 ]', 'dims: -1'), open);
    assert.deepEqual(schema.signature.inputs, [tensor('x', [2, 3])]);
  });
});

describe('completeFurtherSignature', () => {
  const { config } = complete(undefined, model([-1, 3], [-1, 5]));

  test('batches as the model does where the signature can', () => {
    const { schema } = completeFurtherSignature(config, model([-1, 7], [-1]));
    assert.equal(schema.maxBatchSize, config.maxBatchSize);
    assert.deepEqual(schema.signature, model([-1, 7], [-1, 1]));
  });

  test('does not batch where the signature has a tensor without rows', () => {
    assert.deepEqual(completeFurtherSignature(config, model([-1, 7], [2])).schema, {
      maxBatchSize: 0,
      signature: model([-1, 7], [2]),
    });
  });
});

describe('writtenInstanceCount', () => {
  const count = (text: string) => writtenInstanceCount(parseModelConfig(text, 'm').config.instanceGroups);

  test('sums the counts over groups and over the GPUs of a group', () => {
    assert.equal(count('instance_group [ { count: 3 kind: KIND_CPU }, { count: 2 kind: KIND_GPU gpus: [0, 1] } ]'), 7);
  });

  test('is undefined where any group leaves it to the backend', () => {
    assert.equal(count(''), undefined);
    assert.equal(count('instance_group [ { count: 3 }, { kind: KIND_CPU } ]'), undefined);
  });
});
