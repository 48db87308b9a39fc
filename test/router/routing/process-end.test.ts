import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blamesRequests } from '../../../src/router/routing/process-end.ts';

describe('blamesRequests', () => {
  test('blames a request for a signal that code raises, and nobody for one that is sent', () => {
    for (const signal of ['SIGFPE', 'SIGSEGV', 'SIGABRT', 'SIGILL', 'SIGBUS', 'SIGTRAP'])
      assert.equal(blamesRequests({ kind: 'signal', signal }), true, signal);
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'])
      assert.equal(blamesRequests({ kind: 'signal', signal }), false, signal);
  });

  test('reads exit codes as shells write them, and takes what is unknown for a crash', () => {
    for (const code of [1, 134, 136, 139]) assert.equal(blamesRequests({ kind: 'exit', code }), true, String(code));
    for (const code of [0, 129, 130, 137, 143])
      assert.equal(blamesRequests({ kind: 'exit', code }), false, String(code));
    assert.equal(blamesRequests({ kind: 'unknown' }), true);
  });
});
