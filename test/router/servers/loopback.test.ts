import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback } from '../../../src/router/servers/loopback.ts';

test('isLoopback knows the addresses of this machine alone', () => {
  for (const address of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(address), address);
  for (const address of [undefined, '10.0.0.1', '::ffff:10.0.0.1', '1.127.0.0', 'fe80::1', '127.0.0.1.evil', '::']) {
    assert.ok(!isLoopback(address), address);
  }
});
