import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseModelConfig, parseModelConfigJson } from '../../../src/fleet/repository/parse-model-config.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';

describe('parseModelConfigJson', () => {
  const json = (value: unknown) => parseModelConfigJson(JSON.stringify(value), 'm').config;

  test('reads the same schema from JSON, with names in either case and 64-bit numbers as strings', () => {
    const expected = parseModelConfig(
      'max_batch_size: 8 input { name: "x" data_type: TYPE_INT64 dims: [ 2, -1 ] }',
      'm',
    ).config.inputs;
    assert.deepEqual(
      json({ max_batch_size: 8, input: [{ name: 'x', data_type: 'TYPE_INT64', dims: [2, -1] }] }).inputs,
      expected,
    );
    assert.deepEqual(
      json({ maxBatchSize: 8, input: [{ name: 'x', dataType: 'type_int64', dims: ['2', '-1'] }] }).inputs,
      expected,
    );
  });

  test('reads maps from objects, whatever their keys are called', () => {
    const { parameters } = parseModelConfigJson(
      '{"parameters":{"__proto__":{"string_value":"1"},"key":{"string_value":"2"}}}',
      'm',
    ).config;
    assert.deepEqual(Object.entries(parameters), [
      ['__proto__', '1'],
      ['key', '2'],
    ]);
  });

  test('takes null for a field that was not written', () => {
    assert.equal(json({ dynamic_batching: null }).dynamicBatching, undefined);
  });

  for (const [what, text, message] of [
    ['text that is no JSON', 'x', /it is not JSON/],
    ['a value that is no object', '[]', /a configuration is a JSON object/],
    ['an unknown field', '{"input":[{"nmae":1}]}', /wrong at \$\.input\[0\]\.nmae: ModelInput has no field "nmae"/],
    ['one message for a list', '{"input":{"name":"x"}}', /\$\.input: input is a list/],
    ['a list for a map', '{"parameters":[]}', /parameters is an object/],
    ['a list for one value', '{"name":[]}', /name is one string value/],
    ['a string for a truth', '{"dynamic_batching":{"preserve_ordering":"true"}}', /is true or false, got true/],
    ['a fraction', '{"max_batch_size":1.5}', /got 1.5/],
    ['two names of one field', '{"maxBatchSize":1,"max_batch_size":1}', /written a second time/],
    ['deep nesting', `{"name":${'['.repeat(40)}${']'.repeat(40)}}`, /nested more than 32 deep/],
    ['a refused field', '{"sequence_batching":{}}', /sets sequence_batching at \$\.sequence_batching/],
  ] as const) {
    test(`refuses ${what}`, () =>
      assert.throws(() => parseModelConfigJson(text, 'm'), { name: 'SkeinError', message }));
  }

  test('throws nothing but a SkeinError, whatever JSON it is given', () => {
    const keys = fc.constantFrom(
      'name',
      'input',
      'dims',
      'parameters',
      'optimization',
      'dynamic_batching',
      'priority_queue_policy',
      '__proto__',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, (document) => {
        try {
          parseModelConfigJson(JSON.stringify(document), 'm');
        } catch (error) {
          assert.ok(error instanceof SkeinError && error.code.startsWith('config_'), String(error));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
