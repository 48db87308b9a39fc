import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { LoadFailures } from '../../../src/router/mesh/load-failures.ts';

const error = new SkeinError('load_failed', { model: 'a', version: 1, reason: 'broken' });

test('LoadFailures answers with an error for ever longer while the same files keep failing, up to a minute', () => {
  const failures = new LoadFailures();
  let nowMs = 0;
  for (const backoffMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    failures.remember(1, 's', error, nowMs);
    assert.equal(failures.current(1, 's', nowMs + backoffMs - 1), error);
    nowMs += backoffMs;
    assert.equal(failures.current(1, 's', nowMs), undefined);
    assert.equal(failures.last(1, 's'), error);
  }
});

test('LoadFailures says nothing of other files, other versions, and what has loaded since', () => {
  const failures = new LoadFailures();
  failures.remember(1, 's', error, 0);
  assert.equal(failures.current(1, 'other', 1), undefined);
  assert.equal(failures.current(2, 's', 1), undefined);
  failures.remember(2, 's', error, 0);
  failures.forget(1);
  assert.deepEqual([failures.last(1, 's'), failures.last(2, 's')], [undefined, error]);
  failures.clear();
  assert.equal(failures.last(2, 's'), undefined);
});

test('LoadFailures begins anew with other files', () => {
  const failures = new LoadFailures();
  failures.remember(1, 's', error, 0);
  failures.remember(1, 's', error, 1_000);
  failures.remember(1, 't', error, 5_000);
  assert.equal(failures.current(1, 't', 5_999), error);
  assert.equal(failures.current(1, 't', 6_000), undefined);
});
