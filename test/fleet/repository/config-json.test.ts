import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { completeConfig } from '../../../src/fleet/repository/complete-config.ts';
import { configToJson } from '../../../src/fleet/repository/config-json.ts';
import type { ModelConfig } from '../../../src/fleet/repository/model-config.ts';
import { parseModelConfig, parseModelConfigJson } from '../../../src/fleet/repository/parse-model-config.ts';
import type { Datatype } from '../../../src/protocol/tensors/datatype.ts';
import type { Signature } from '../../../src/protocol/tensors/tensor.ts';
import recorded from './fixtures/triton-configs.json' with { type: 'json' };
import { tritonCompletion } from './triton-completion.ts';

const tensor = (name: string, datatype: Datatype, ...shape: number[]) => ({ name, datatype, shape });
const both = (datatype: Datatype, ...shape: number[]): Signature => ({
  inputs: [tensor('INPUT0', datatype, ...shape)],
  outputs: [tensor('OUTPUT0', datatype, ...shape)],
});
const addSub: Signature = {
  inputs: [tensor('INPUT0', 'INT32', -1, 16), tensor('INPUT1', 'INT32', -1, 16)],
  outputs: [tensor('OUTPUT0', 'INT32', -1, 16), tensor('OUTPUT1', 'INT32', -1, 16)],
};
const image: Signature = {
  inputs: [tensor('input', 'FP32', -1, 3, 224, 224)],
  outputs: [tensor('output', 'FP32', -1, 1000)],
};
const addSubText = `
  max_batch_size: 8
  input [ { name: "INPUT0" data_type: TYPE_INT32 dims: [ 16 ] }, { name: "INPUT1" data_type: TYPE_INT32 dims: [ 16 ] } ]
  output [ { name: "OUTPUT0" data_type: TYPE_INT32 dims: 16 }, { name: "OUTPUT1" data_type: TYPE_INT32 dims: 16 } ]`;

/** The configurations behind the recorded bodies, and the signatures of their models. */
const models: Readonly<Record<keyof typeof recorded, readonly [text: string, signature: Signature]>> = {
  simple: [`platform: "onnxruntime_onnx" ${addSubText}`, addSub],
  multi_version: [`platform: "onnxruntime_onnx" version_policy { all { } } ${addSubText}`, addSub],
  simple_identity: [
    `max_batch_size: 8 input { name: "INPUT0" data_type: TYPE_STRING dims: -1 }
     output { name: "OUTPUT0" data_type: TYPE_STRING dims: -1 }`,
    both('BYTES', -1, -1),
  ],
  identity_fp32: [
    `max_batch_size: 64 input { name: "INPUT0" data_type: TYPE_FP32 dims: 16 }
     output { name: "OUTPUT0" data_type: TYPE_FP32 dims: 16 } dynamic_batching { }
     instance_group [ { count: 1 kind: KIND_CPU } ]
     parameters { key: "intra_op_thread_count" value: { string_value: "1" } }`,
    both('FP32', -1, 16),
  ],
  mobilenet: [
    `max_batch_size: 8 input { name: "input" data_type: TYPE_FP32 dims: [ 3, 224, 224 ] }
     output { name: "output" data_type: TYPE_FP32 dims: [ 1000 ] } dynamic_batching { }
     instance_group [ { count: 1 kind: KIND_CPU } ]`,
    image,
  ],
  labels: [
    `max_batch_size: 4 input { name: "INPUT0" data_type: TYPE_FP32 dims: 16 }
     output { name: "OUTPUT0" data_type: TYPE_FP32 dims: 16 label_filename: "labels.txt" }`,
    both('FP32', -1, 16),
  ],
  auto_resnet50: ['', image],
  auto_mobilenet: ['', image],
  auto_bytes: ['', both('BYTES', -1, -1)],
  auto_id_float16: ['', both('FP16', -1)],
  auto_id_fp32: [
    'backend: "onnxruntime" max_batch_size: 2 instance_group { count: 1 kind: KIND_CPU }',
    both('FP32', -1, 16),
  ],
  uploaded: ['backend: "onnxruntime"', both('FP32', -1, 16)],
};

function complete(model: keyof typeof recorded, config: ModelConfig): string {
  const loaded = { signature: models[model][1], file: 'model.onnx' };
  return JSON.stringify(configToJson(completeConfig(config, model, loaded, tritonCompletion).config));
}

describe('configToJson', () => {
  for (const [name, [text]] of Object.entries(models)) {
    const model = name as keyof typeof recorded;
    test(`gives the bytes that Triton serves for ${name}`, () => {
      assert.equal(complete(model, parseModelConfig(text, name).config), recorded[model]);
    });

    test(`gives the same bytes for ${name} when they are sent back as a load override`, () => {
      const { config, warnings } = parseModelConfigJson(recorded[model], name);
      assert.equal(complete(model, config), recorded[model]);
      assert.deepEqual(warnings, []);
    });
  }

  test('shows again what only tunes, with every part that was written', () => {
    const written = {
      max_batch_size: 8,
      metric_tags: { team: 'vision' },
      response_cache: { enable: true },
      model_transaction_policy: { decoupled: false },
      model_metrics: {
        metric_control: [{ metric_identifier: { family: 'nv_load' }, histogram_options: { buckets: [0.5, 1] } }],
      },
      optimization: { graph: { level: -1 }, input_pinned_memory: { enable: false } },
    };
    const { config } = parseModelConfigJson(JSON.stringify(written), 'simple');
    const { optimization, ...rest } = JSON.parse(complete('simple', config));
    const shown = Object.fromEntries(Object.keys(written).map((field) => [field, rest[field]]));
    assert.deepEqual({ ...shown, optimization: written.optimization }, written);
    assert.deepEqual(optimization.graph, { level: -1 });
    assert.deepEqual(optimization.input_pinned_memory, { enable: false });
    assert.deepEqual(optimization.output_pinned_memory, { enable: true });
  });

  test('shows queue policies, warm-up samples and the policy of specific versions as they were written', () => {
    const written = {
      version_policy: { specific: { versions: [1, 7] } },
      dynamic_batching: {
        preferred_batch_size: [2, 4],
        max_queue_delay_microseconds: 100,
        preserve_ordering: false,
        priority_levels: 2,
        default_priority_level: 1,
        default_queue_policy: {
          timeout_action: 'DELAY',
          default_timeout_microseconds: 5,
          allow_timeout_override: true,
          max_queue_size: 3,
        },
        priority_queue_policy: {
          2: {
            timeout_action: 'REJECT',
            default_timeout_microseconds: 0,
            allow_timeout_override: false,
            max_queue_size: 1,
          },
        },
      },
      model_warmup: [
        {
          name: 'all kinds',
          batch_size: 2,
          inputs: {
            INPUT0: { data_type: 'TYPE_INT32', dims: [16], zero_data: true },
            INPUT1: { data_type: 'TYPE_INT32', dims: [16], input_data_file: 'raw' },
            INPUT2: { data_type: 'TYPE_STRING', dims: [1], random_data: true },
          },
          count: 3,
        },
      ],
    };
    const { config } = parseModelConfigJson(JSON.stringify({ ...written, max_batch_size: 8 }), 'simple');
    const shown = JSON.parse(complete('simple', config));
    for (const [field, value] of Object.entries(written)) assert.deepEqual(shown[field], value, field);
  });
});
