import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTimeout } from '../../../src/router/servers/timeout-header.ts';

test('readTimeout reads whole milliseconds, and none where none are named', () => {
  assert.equal(readTimeout(undefined), 0);
  assert.equal(readTimeout('1'), 1);
  assert.equal(readTimeout('86400000'), 86_400_000);
});

test('readTimeout refuses what it cannot keep', () => {
  for (const value of ['', '0', '-1', '1.5', '1e3', '5 s', '86400001', '9'.repeat(400)]) {
    assert.throws(() => readTimeout(value), { code: 'timeout_malformed' }, value);
  }
});
