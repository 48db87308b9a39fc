import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readDocument } from '../../../src/protocol/json/json-document.ts';
import { noParameters, readParameters } from '../../../src/protocol/v2/request-parameters.ts';

const read = (text: string) => readParameters(readDocument(Buffer.from(text)));

function messageOf(text: string): string {
  try {
    read(text);
  } catch (fault) {
    return (fault as Error).message;
  }
  return 'was accepted';
}

describe('readParameters', () => {
  test('finds nothing where nothing is', () => {
    assert.deepEqual(readParameters(undefined), { parameters: noParameters, binaryOutput: false });
    assert.deepEqual(read('{}'), { parameters: noParameters, binaryOutput: false });
  });

  test('reads the names that the protocol reserves', () => {
    const text =
      '{"priority":2,"timeout":1500,"sequence_id":7,"sequence_start":true,"sequence_end":false,"binary_data_output":true}';
    assert.deepEqual(read(text), {
      parameters: {
        ...noParameters,
        priority: 2,
        timeoutUs: 1500,
        sequenceId: 7n,
        sequenceStart: true,
        sequenceEnd: false,
      },
      binaryOutput: true,
    });
  });

  test('passes the others on, integers apart from reals', () => {
    const { other } = read('{"foo":"bar","n":1,"b":true,"d":1.0,"big":18446744073709551615}').parameters;
    assert.deepEqual(
      [...other],
      [
        ['foo', 'bar'],
        ['n', 1n],
        ['b', true],
        ['d', 1],
        ['big', 2n ** 64n - 1n],
      ],
    );
  });

  test('takes sequence ids of both kinds, and 0 and the empty string as none', () => {
    assert.equal(read('{"sequence_id":"s1"}').parameters.sequenceId, 's1');
    assert.equal(read('{"sequence_id":18446744073709551615}').parameters.sequenceId, 2n ** 64n - 1n);
    for (const none of ['0', '""']) assert.equal(read(`{"sequence_id":${none}}`).parameters.sequenceId, undefined);
  });

  for (const [text, message] of [
    ['1', 'failed to get request params.: attempt to get members for non-object'],
    ['{"a":[1]}', "parameter 'a' has invalid type. It should be either 'int', 'bool', or 'string'."],
    ['{"a":null}', "parameter 'a' has invalid type. It should be either 'int', 'bool', or 'string'."],
    ['{"priority":-1}', "Unable to parse 'priority': attempt to access JSON non-unsigned-integer as unsigned-integer"],
    ['{"timeout":"x"}', "Unable to parse 'timeout': attempt to access JSON non-unsigned-integer as unsigned-integer"],
    ['{"sequence_id":-1}', "Unable to parse 'sequence_id': attempt to access JSON non-string as string"],
    ['{"sequence_end":1}', "Unable to parse 'sequence_end': attempt to access JSON non-boolean as boolean"],
    ['{"binary_data_output":1}', "Unable to parse 'binary_data_output': attempt to access JSON non-boolean as boolean"],
    [
      '{"triton_x":true}',
      "parameter keys starting with 'triton_' are reserved for Triton usage and should not be specified.",
    ],
  ]) {
    test(`refuses ${text}`, () => assert.equal(messageOf(text!), message));
  }
});
