import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { decodeExamples } from '../../../src/protocol/v1/decode-examples.ts';
import { errorText } from '../../../src/protocol/v1/status.ts';

const decode = (body: string) => decodeExamples(Buffer.from(body));

describe('decodeExamples', () => {
  test('reads features of each kind, alone or in lists', () => {
    const { examples, signatureName, context } = decode(
      '{"signature_name": "s", "context": {"c": 1}, "examples": [{"f": 1.5, "i": [1, true], "b": ["a", {"b64": "Yg=="}], "n": []}]}',
    );
    assert.equal(signatureName, 's');
    assert.deepEqual(context, new Map([['c', { kind: 'int64', values: [1n] }]]));
    assert.deepEqual(examples, [
      new Map<string, unknown>([
        ['f', { kind: 'float', values: [1.5] }],
        ['i', { kind: 'int64', values: [1n, 1n] }],
        ['b', { kind: 'bytes', values: [Buffer.from('a'), Buffer.from('b')] }],
        ['n', { kind: 'none', values: [] }],
      ]),
    ]);
  });

  const refusals: [body: string, text: string][] = [
    ['{}', "JSON Value: {} When method is classify, key 'examples' is expected and was not found"],
    ['{"examples":1}', 'JSON Value: {\n    "examples": 1\n} Expecting \'examples\' value to be an list/array'],
    ['{"examples":[]}', 'JSON Value: {\n    "examples": []\n} \'examples\' value is an empty array'],
    ['{"examples":[1]}', 'Example must be JSON object but got JSON Number'],
    ['{"examples":[{"a":[1,1.5]}]}', 'Unexpected element type in feature: a expecting type: int64'],
    ['{"examples":[{"a":null}]}', 'Feature: a has element with unexpected JSON type: Null'],
    ['{"examples":[{"a":[[1]]}]}', 'Feature: a has element with unexpected JSON type: Array'],
    ['{"examples":[{"a":18446744073709551615}]}', 'Feature: a has uint64_t element. Only int64_t is supported.'],
  ];
  for (const [body, text] of refusals) {
    test(`refuses ${body}`, () => {
      assert.throws(
        () => decode(body),
        (fault) => {
          assert.ok(fault instanceof SkeinError);
          assert.equal(errorText(fault), text);
          return true;
        },
      );
    });
  }
});
