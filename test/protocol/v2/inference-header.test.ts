import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readInferenceHeader } from '../../../src/protocol/v2/inference-header.ts';

function messageOf(value: string): string {
  try {
    return String(readInferenceHeader(value, 318));
  } catch (fault) {
    return (fault as Error).message;
  }
}

describe('readInferenceHeader', () => {
  test('is undefined when the header is absent', () => {
    assert.equal(readInferenceHeader(undefined, 318), undefined);
  });

  test('takes lengths up to that of the body', () => {
    assert.deepEqual(['0', '190', ' 318 ', '+7'].map(messageOf), ['0', '190', '318', '7']);
  });

  test('refuses lengths out of range', () => {
    const expected = 'inference header size should be in range (0, 318), got: ';
    for (const value of ['319', '-1', '100000', '9'.repeat(40)]) assert.equal(messageOf(value), expected + value);
  });

  test('refuses what is no number', () => {
    for (const value of ['', 'abc', '1.5', '0x10', '1e3', '12 13', '٣']) {
      assert.equal(messageOf(value), `Unable to parse Inference-Header-Content-Length, got: ${value}`);
    }
  });
});
