import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, errorTable } from '../../../src/protocol/errors.ts';
import { failureReason } from '../../../src/router/metrics/failure-reason.ts';

test('failureReason sorts what was refused, given up, and broken apart', () => {
  assert.equal(failureReason('queue_full'), 'REJECTED');
  assert.equal(failureReason('cancelled'), 'CANCELED');
  assert.equal(failureReason('copy_crashed'), 'BACKEND');
  assert.equal(failureReason('input_shape'), 'OTHER');
});

test("failureReason never blames a backend for a client's fault, but for a run that the runtime refused", () => {
  const invalid = (Object.keys(errorTable) as ErrorCode[]).filter((code) => errorTable[code].kind === 'invalid');
  const blamed = invalid.filter((code) => failureReason(code) === 'BACKEND');
  assert.deepEqual(blamed, ['run_failed']);
});
