import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectionError, signOf } from '../../../src/adapters/v2/connection-fault.ts';

const fault = (code: string, message: string = code) => Object.assign(new Error(message), { code });

describe('connectionError', () => {
  test('may be tried again unless the answer had begun', () => {
    const before = connectionError('b', fault('ECONNRESET', 'read ECONNRESET'), undefined);
    assert.equal(before.message, "the connection to backend 'b' ended: read ECONNRESET");
    assert.ok(before.mayRetry);
    const within = connectionError('b', fault('ECONNRESET', 'read ECONNRESET'), 0);
    assert.equal(within.message, "the answer of backend 'b' broke off after 0 bytes: read ECONNRESET");
    assert.ok(!within.mayRetry);
  });

  test('finds words for a name none of whose addresses answers', () => {
    const none = Object.assign(new AggregateError([fault('ECONNREFUSED', 'connect ECONNREFUSED ::1:1')]), {
      code: 'ECONNREFUSED',
    });
    assert.match(connectionError('b', none, undefined).message, /connect ECONNREFUSED ::1:1$/);
    assert.equal(signOf(connectionError('b', none, undefined)).kind, 'refused');
  });
});

describe('signOf', () => {
  test('tells an address where nobody listens from a server that does not answer', () => {
    const kinds = ['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_SOCKET'].map(
      (code) => signOf(connectionError('b', fault(code), undefined)).kind,
    );
    assert.deepEqual(kinds, ['refused', 'refused', 'failed', 'failed', 'failed']);
  });
});
