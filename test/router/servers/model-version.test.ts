import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isVersionText, readVersion } from '../../../src/router/servers/model-version.ts';

test('isVersionText takes digits alone', () => {
  for (const text of ['0', '1', '01', '99999999999999999999']) assert.ok(isVersionText(text), text);
  for (const text of ['', '-1', '+1', '1.0', 'x', ' 1', '١']) assert.ok(!isVersionText(text), text);
});

test('readVersion reads 01 as 1', () => {
  assert.equal(readVersion('01', 'm'), 1);
  assert.equal(readVersion('0', 'm'), 0);
  assert.equal(readVersion(String(Number.MAX_SAFE_INTEGER), 'm'), Number.MAX_SAFE_INTEGER);
});

test('readVersion refuses what no 64-bit number can be, and looks no further for what no model has', () => {
  assert.throws(() => readVersion('99999999999999999999', 'm'), { code: 'version_malformed' });
  assert.throws(() => readVersion('9'.repeat(10_000), 'm'), { code: 'version_malformed' });
  assert.throws(() => readVersion('9223372036854775808', 'm'), { code: 'version_malformed' });
  assert.throws(() => readVersion('9223372036854775807', 'm'), {
    code: 'version_unknown',
    message:
      "Request for unknown model: 'm' version 9223372036854775807 is not found; its metadata lists those that are",
  });
});
