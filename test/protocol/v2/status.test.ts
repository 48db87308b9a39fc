import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ErrorCode, errorTable, SkeinError } from '../../../src/protocol/errors.ts';
import { errorBody, errorText, httpStatus } from '../../../src/protocol/v2/status.ts';

describe('httpStatus', () => {
  test('answers a fault of the client with 4xx and a fault of ours with 5xx', () => {
    const clients = ['invalid', 'too_large', 'cancelled', 'forbidden', 'not_found', 'method'] as const;
    assert.deepEqual(clients.map(httpStatus), [400, 400, 400, 403, 404, 405]);
    const ours = ['unsupported', 'unavailable', 'deadline', 'internal'] as const;
    assert.deepEqual(ours.map(httpStatus), [501, 503, 503, 500]);
  });

  test('knows every kind of the table', () => {
    for (const code of Object.keys(errorTable) as ErrorCode[]) assert.ok(httpStatus(errorTable[code].kind) >= 400);
  });
});

describe('errorBody', () => {
  test('is JSON of one line for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (reason) => {
        const body = errorBody(new SkeinError('run_failed', { reason }));
        assert.deepEqual(JSON.parse(body), { error: reason });
        assert.ok(body.startsWith('{"error":"') && !body.includes('\n'));
      }),
    );
  });

  test('writes half a surrogate pair as an escape, which every reader takes', () => {
    assert.equal(errorBody(new SkeinError('run_failed', { reason: '\ud800' })), '{"error":"\\ud800"}');
  });
});

describe('errorText', () => {
  test('puts the id of the request before the text, the given one first', () => {
    const full = new SkeinError('queue_full');
    assert.equal(errorText(full), 'Exceeds maximum queue size');
    assert.equal(errorText(full, ''), 'Exceeds maximum queue size');
    assert.equal(errorText(full, 'q3'), '[request id: q3] Exceeds maximum queue size');
    const carried = new SkeinError('queue_full', { requestId: 'q1' });
    assert.equal(errorText(carried), '[request id: q1] Exceeds maximum queue size');
    assert.equal(errorText(carried, 'q3'), '[request id: q3] Exceeds maximum queue size');
  });
});
