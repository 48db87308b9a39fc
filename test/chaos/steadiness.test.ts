import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Entry } from './ledger.ts';
import { Steadiness } from './steadiness.ts';

const everyMs = 10;
const windowMs = 2_000;

/** A request every ten milliseconds, each answered after what `waitOf` says of when it was due; Infinity: never. */
function traffic(windows: number, waitOf: (dueMs: number) => number): Entry[] {
  return Array.from({ length: (windows * windowMs) / everyMs }, (_, number) => {
    const dueMs = number * everyMs;
    const atMs = dueMs + waitOf(dueMs);
    const answers = Number.isFinite(atMs) ? [{ kind: 'right' as const, atMs, router: 'r1', what: '' }] : [];
    return { number, model: 'm', dueMs, answers, givenUp: [] };
  });
}

function lookedAt(entries: readonly Entry[], windows: number): Steadiness {
  const steadiness = new Steadiness(0);
  for (let window = 1; window <= windows && !steadiness.isOver; window++) steadiness.look(entries, window * windowMs);
  return steadiness;
}

describe('traffic', () => {
  test('is steady after two quick windows, whatever was before', () => {
    const { isSteady, usualMs } = lookedAt(
      traffic(4, (dueMs) => (dueMs < 2 * windowMs ? 800 : 20)),
      4,
    );
    assert.deepEqual({ isSteady, usualMs }, { isSteady: true, usualMs: 20 });
  });

  test('is not steady after one quick window, nor after two with a slow one between', () => {
    assert.equal(
      lookedAt(
        traffic(1, () => 20),
        1,
      ).isOver,
      false,
    );
    const second = (dueMs: number) => Math.floor(dueMs / windowMs) === 1;
    assert.equal(
      lookedAt(
        traffic(3, (dueMs) => (second(dueMs) ? 90 : 20)),
        3,
      ).isOver,
      false,
    );
  });

  test('is not steady while requests have no answer', () => {
    assert.equal(
      lookedAt(
        traffic(3, (dueMs) => (dueMs % 500 === 0 ? Infinity : 5)),
        3,
      ).isSteady,
      false,
    );
  });

  test('that never is steady is waited for no longer than half a minute', () => {
    const steadiness = lookedAt(
      traffic(20, () => 400),
      15,
    );
    assert.deepEqual([steadiness.isOver, steadiness.isSteady, steadiness.usualMs], [true, false, 400]);
  });
});
