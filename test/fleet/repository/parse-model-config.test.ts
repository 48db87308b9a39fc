import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { defaultModelConfig, parseModelConfig } from '../../../src/fleet/repository/parse-model-config.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';

const config = (text: string) => parseModelConfig(text, 'm').config;
const fault = (parse: () => unknown): SkeinError => {
  try {
    parse();
  } catch (error) {
    assert.ok(error instanceof SkeinError, String(error));
    return error;
  }
  assert.fail('it was read');
};
const refusal = (text: string) => fault(() => parseModelConfig(text, 'm'));
const tensor = 'name: "x" data_type: TYPE_FP32';

describe('parseModelConfig', () => {
  test('fills in the defaults of a configuration that says nothing', () => {
    assert.deepEqual(config(''), defaultModelConfig('m'));
    const { maxBatchSize, versionPolicy, dynamicBatching, inputs, written } = config('# nothing');
    assert.deepEqual(
      { maxBatchSize, versionPolicy, dynamicBatching, inputs },
      {
        maxBatchSize: 0,
        versionPolicy: { kind: 'latest', count: 1 },
        dynamicBatching: undefined,
        inputs: [],
      },
    );
    assert.equal(written.size, 0);
  });

  test('remembers which fields were written', () => {
    assert.deepEqual(
      [...config('max_batch_size: 0 dynamic_batching { }').written],
      ['max_batch_size', 'dynamic_batching'],
    );
  });

  test('reads tensors with reshape, labels, formats and optional inputs', () => {
    const { inputs, outputs } = config(`
      input { name: "data_0" data_type: TYPE_FP32 format: FORMAT_NCHW dims: [ 3, 224, 224 ] reshape { shape: [ 1, 3, 224, 224 ] } }
      input { name: "flag" data_type: TYPE_BOOL dims: 1 optional: true }
      output { name: "fc6_1" data_type: TYPE_FP32 dims: [ 1000 ] reshape { shape: [ 1, 1000, 1, 1 ] } label_filename: "l.txt" }`);
    assert.deepEqual(inputs, [
      {
        name: 'data_0',
        dataType: 'FP32',
        dims: [3, 224, 224],
        reshape: [1, 3, 224, 224],
        format: 'FORMAT_NCHW',
        optional: false,
      },
      { name: 'flag', dataType: 'BOOL', dims: [1], format: 'FORMAT_NONE', optional: true },
    ]);
    assert.deepEqual(outputs, [
      { name: 'fc6_1', dataType: 'FP32', dims: [1000], reshape: [1, 1000, 1, 1], labelFilename: 'l.txt' },
    ]);
  });

  test('reads the version policy', () => {
    assert.deepEqual(config('version_policy { all { } }').versionPolicy, { kind: 'all' });
    assert.deepEqual(config('version_policy: { latest { num_versions: 2 } }').versionPolicy, {
      kind: 'latest',
      count: 2,
    });
    assert.deepEqual(config('version_policy { latest { } }').versionPolicy, { kind: 'latest', count: 1 });
    assert.deepEqual(config('version_policy { specific { versions: [3, 1] } }').versionPolicy, {
      kind: 'specific',
      versions: [3, 1],
    });
  });

  test('reads dynamic batching with its queue policies', () => {
    const { dynamicBatching } = config(`max_batch_size: 8 dynamic_batching {
      preferred_batch_size: [ 8, 4, 4 ] max_queue_delay_microseconds: 100 priority_levels: 2 default_priority_level: 2
      default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 5 allow_timeout_override: true max_queue_size: 9 }
      priority_queue_policy { key: 1 value { max_queue_size: 3 } } }`);
    const plain = { timeoutAction: 'REJECT', defaultTimeoutUs: 0, allowTimeoutOverride: false, maxQueueSize: 3 };
    assert.deepEqual(dynamicBatching, {
      preferredBatchSizes: [4, 8],
      maxQueueDelayUs: 100,
      preserveOrdering: false,
      priorityLevels: 2,
      defaultPriorityLevel: 2,
      defaultQueuePolicy: { timeoutAction: 'DELAY', defaultTimeoutUs: 5, allowTimeoutOverride: true, maxQueueSize: 9 },
      priorityQueuePolicy: new Map([[1, plain]]),
    });
  });

  test('reads instance groups, parameters and warm-up samples', () => {
    const { instanceGroups, parameters, modelWarmup } = config(`
      instance_group [ { count: 3 kind: KIND_CPU }, { kind: KIND_GPU gpus: [ 0, 1 ] } ]
      parameters { key: "a" value: { string_value: "1" } } parameters: [ { key: "b" value { string_value: "2" } }, { key: "c" } ]
      model_warmup { name: "w" batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 dims: [ 2 ] random_data: true } } }`);
    assert.deepEqual(instanceGroups, [
      { name: '', kind: 'KIND_CPU', count: 3, countWritten: true, gpus: [], tuning: {} },
      { name: '', kind: 'KIND_GPU', count: 0, countWritten: false, gpus: [0, 1], tuning: {} },
    ]);
    assert.deepEqual(parameters, { a: '1', b: '2', c: '' });
    assert.deepEqual(modelWarmup, [
      {
        name: 'w',
        batchSize: 1,
        count: 1,
        inputs: [{ name: 'x', dataType: 'FP32', dims: [2], data: { kind: 'random' } }],
      },
    ]);
  });

  test('freezes what it gives', () => {
    const frozen = config(`input { ${tensor} dims: 1 } instance_group { count: 1 } dynamic_batching { }`);
    for (const part of [
      frozen,
      frozen.inputs,
      frozen.inputs[0],
      frozen.inputs[0]?.dims,
      frozen.instanceGroups[0],
      frozen.dynamicBatching,
    ]) {
      assert.ok(Object.isFrozen(part));
    }
  });

  for (const [field, text] of [
    ['sequence_batching', 'sequence_batching { }'],
    ['ensemble_scheduling', 'ensemble_scheduling { step [ { model_name: "a" } ] }'],
    ['batch_input', 'batch_input [ { kind: BATCH_ELEMENT_COUNT } ]'],
    ['batch_output', 'batch_output { target_name: "y" }'],
    ['input.allow_ragged_batch', `input { ${tensor} dims: 1 allow_ragged_batch: true }`],
    ['input.is_shape_tensor', `input { ${tensor} dims: 1 is_shape_tensor: true }`],
    ['output.is_non_linear_format_io', `output { ${tensor} dims: 1 is_non_linear_format_io: true }`],
    ['model_transaction_policy.decoupled', 'model_transaction_policy { decoupled: true }'],
    ['model_repository_agents', 'model_repository_agents { agents { name: "checksum" } }'],
    ['model_operations', 'model_operations { op_library_filename: "a.so" }'],
    ['cc_model_filenames', 'cc_model_filenames { key: "7.5" value: "a.onnx" }'],
    ['instance_group.passive', 'instance_group { passive: true }'],
    ['runtime', 'runtime: "libtriton_x.so"'],
  ] as const) {
    test(`refuses ${field} by name`, () => {
      const error = refusal(`max_batch_size: 1\n${text}`);
      assert.equal(error.code, 'config_refused');
      assert.equal(error.facts['field'], field);
      assert.match(error.message, /at line 2, column \d+, which is not supported: ./);
    });
  }

  test('takes refused fields that ask for nothing', () => {
    const { warnings } = parseModelConfig(
      `runtime: "" batch_input: [] model_transaction_policy { decoupled: false } instance_group { passive: false }
       input { ${tensor} dims: 1 allow_ragged_batch: false is_shape_tensor: false }`,
      'm',
    );
    assert.deepEqual(warnings, []);
  });

  test('warns of fields that only tune, once each and where they stand', () => {
    const { warnings } = parseModelConfig(
      `optimization { graph { level: 1 } cuda { graphs: true } input_pinned_memory { enable: false }
         output_pinned_memory { enable: true } execution_accelerators { gpu_execution_accelerator [ { name: "tensorrt" } ] } }
       response_cache { enable: true } metric_tags { key: "a" value: "b" }
       instance_group { host_policy: "numa0" rate_limiter { priority: 2 } profile: "0" }`,
      'm',
    );
    assert.deepEqual(
      warnings.map(({ field }) => field),
      [
        'optimization.graph',
        'optimization.cuda',
        'optimization.input_pinned_memory',
        'optimization.execution_accelerators',
        'response_cache',
        'metric_tags',
        'instance_group.host_policy',
        'instance_group.rate_limiter',
        'instance_group.profile',
      ],
    );
    assert.equal(warnings[0]?.where, 'line 1, column 16');
    assert.ok(warnings.every(({ reason }) => reason.length > 0));
  });

  test('refuses unknown fields with their name, their place and what there is', () => {
    const { message, code } = refusal('max_batch_size: 1\ninput {\n  nmae: "x" }');
    assert.equal(code, 'config_malformed');
    assert.match(message, /line 3, column 3: ModelInput has no field "nmae"; it has name, data_type, format/);
  });

  for (const [what, text, message] of [
    ['a scalar written twice', 'max_batch_size: 1 max_batch_size: 2', /max_batch_size is written a second time/],
    ['two of one choice', 'version_policy { all { } latest { } }', /latest and all exclude each other/],
    [
      'a word for a number',
      'max_batch_size: eight',
      /max_batch_size is a whole number from -2147483648 to 2147483647, got eight/,
    ],
    ['a number out of range', 'max_batch_size: 2147483648', /got 2147483648/],
    ['a fraction for a whole number', 'max_batch_size: 1.5', /got 1.5/],
    ['a string for a number', 'max_batch_size: "8"', /got 8/],
    ['a number for a string', 'name: 8', /name is a string, got 8/],
    [
      'an unknown enum name',
      'input { data_type: FP32 }',
      /input.data_type is one of TYPE_INVALID, TYPE_BOOL.*, got FP32/,
    ],
    ['an enum number out of range', 'input { data_type: 99 }', /got 99/],
    ['a number for a truth', 'dynamic_batching { preserve_ordering: 2 }', /is true or false, got 2/],
    ['a scalar for a message', 'input: 8', /input is a message/],
    ['a message for a scalar', 'max_batch_size { }', /max_batch_size is one int32 value/],
    [
      'an entry with a stranger',
      'parameters { key: "a" val { } }',
      /an entry of parameters has a key and a value, no "val"/,
    ],
    ['a negative batch', 'max_batch_size: -1', /'max_batch_size' must be non-negative value for m/],
    ['a tensor without a name', 'input { dims: 1 }', /model input must specify 'name' for m/],
    ['a tensor without a type', 'input { name: "x" dims: 1 }', /model input 'x' must specify 'data_type' for m/],
    ['a tensor without dims', `input { ${tensor} }`, /model input 'x' must specify 'dims' for m/],
    ['a dimension of zero', `output { ${tensor} dims: 0 }`, /model output 'x' dimension must be integer >= 1, or -1/],
    [
      'a reshape of another size',
      `input { ${tensor} dims: [2, 3] reshape { shape: 5 } }`,
      /has different size for dims and reshape/,
    ],
    [
      'a name twice',
      `input { ${tensor} dims: 1 } input { ${tensor} dims: 1 }`,
      /model input 'x' is specified twice for m/,
    ],
    [
      'NCHW of two dims',
      `input { ${tensor} dims: [1, 2] format: FORMAT_NCHW }`,
      /model input NHWC\/NCHW require 3 dims for m/,
    ],
    [
      'a preferred size of zero',
      'dynamic_batching { preferred_batch_size: 0 }',
      /preferred size must be positive for m/,
    ],
    [
      'a preferred size above the largest',
      'max_batch_size: 4 dynamic_batching { preferred_batch_size: 5 }',
      /must be <= max batch size for m/,
    ],
    [
      'a default level out of range',
      'dynamic_batching { priority_levels: 2 }',
      /default priority level must be in range \[1, 2\] for m/,
    ],
    [
      'a policy of a level out of range',
      'dynamic_batching { priority_levels: 1 default_priority_level: 1 priority_queue_policy { key: 2 value { } } }',
      /priority queue policy must have priority level in range \[1, 1\]/,
    ],
    [
      'order with priorities',
      'dynamic_batching { preserve_ordering: true priority_levels: 2 default_priority_level: 1 }',
      /Only one priority level is allowed/,
    ],
    [
      'order with DELAY',
      'dynamic_batching { preserve_ordering: true default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 1 } }',
      /can not have DELAY as timeout action/,
    ],
    ['a count below zero', 'instance_group { count: -1 }', /must have a count from 1 to 1024/],
    [
      'GPUs of a CPU group',
      'instance_group { kind: KIND_CPU gpus: 0 }',
      /has kind KIND_CPU but specifies one or more GPUs/,
    ],
    [
      'a file outside the model',
      'default_model_filename: "../other/model.onnx"',
      /must be a path inside the directory of the model/,
    ],
    [
      'free dimensions in a warm-up sample',
      'model_warmup { inputs { key: "x" value { data_type: TYPE_FP32 dims: -1 } } }',
      /all variable-size dimensions are specified/,
    ],
    [
      'more levels than queues are kept for',
      'dynamic_batching { priority_levels: 1001 default_priority_level: 1 }',
      /at most 1000 priority levels/,
    ],
    [
      'the name of another model',
      'name: "other"',
      /unexpected directory name 'm' for model 'other', directory name must equal model name/,
    ],
  ] as const) {
    test(`refuses ${what}`, () => assert.match(refusal(text).message, message));
  }

  test('reads numbers in hexadecimal and octal, enums by number and truths in all their spellings', () => {
    assert.equal(config('max_batch_size: 0x10').maxBatchSize, 16);
    assert.equal(config('max_batch_size: 010').maxBatchSize, 8);
    assert.equal(config('input { name: "x" data_type: 11 dims: 1 }').inputs[0]?.dataType, 'FP32');
    for (const yes of ['true', 'True', 't', '1']) {
      assert.equal(config(`dynamic_batching { preserve_ordering: ${yes} }`).dynamicBatching?.preserveOrdering, true);
    }
  });

  test('leaves a check that needs the largest batch to the completion when it is still to come', () => {
    assert.deepEqual(
      config('dynamic_batching { preferred_batch_size: 64 }').dynamicBatching?.preferredBatchSizes,
      [64],
    );
  });

  test('throws nothing but a SkeinError, whatever fields it is given', () => {
    const names = [
      'name',
      'input',
      'dims',
      'data_type',
      'key',
      'value',
      'parameters',
      'optimization',
      'cuda',
      'dynamic_batching',
      'priority_queue_policy',
      '__proto__',
      'constructor',
      'model_warmup',
      'inputs',
      'version_policy',
      'all',
    ];
    const values = [': 1', ': -1', ': "x"', ': TYPE_FP32', ': true', ' {', ' }', ': [', ' ]', ','];
    const token = fc.oneof(fc.constantFrom(...names), fc.constantFrom(...values));
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
        const text = tokens.join(' ');
        try {
          parseModelConfig(text, 'm');
        } catch (error) {
          assert.ok(error instanceof SkeinError && error.code.startsWith('config_'), `${text}: ${error}`);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
