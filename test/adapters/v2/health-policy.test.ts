import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  afterBrokenConnection,
  afterProbe,
  type Health,
  type HealthSettings,
  type Sign,
} from '../../../src/adapters/v2/health-policy.ts';

const settings: HealthSettings = {
  intervalMs: 1_000,
  retryMs: 100,
  failuresToEject: 3,
  backOffMinMs: 200,
  backOffMaxMs: 2_000,
};
const well: Health = { kind: 'serving', failures: 0, probedAtMs: 0, nextProbeAtMs: 1_000 };
const answered: Sign = { kind: 'answered' };
const failed: Sign = { kind: 'failed', reason: 'silent' };
const refused: Sign = { kind: 'refused', reason: 'connect ECONNREFUSED' };

/** One probe after the other, each when it is due, with the same lot. */
function probed(signs: readonly Sign[], random = 0): Health[] {
  const states: Health[] = [];
  let health = well;
  for (const sign of signs) {
    health = afterProbe(health, sign, health.nextProbeAtMs, random, settings);
    states.push(health);
  }
  return states;
}

describe('afterProbe', () => {
  test('ejects after so many failures in a row, asked at the quick pace in between', () => {
    const states = probed([failed, failed, failed]);
    assert.deepEqual(
      states.map(({ kind, failures, probedAtMs }) => [kind, failures, probedAtMs]),
      [
        ['serving', 1, 1_000],
        ['serving', 2, 1_100],
        ['ejected', 0, 1_200],
      ],
    );
  });

  test('forgets failures that were not in a row', () => {
    const kinds = probed([failed, failed, answered, failed, failed]).map(({ kind }) => kind);
    assert.deepEqual(kinds, Array(5).fill('serving'));
  });

  test('ejects at once where the connection is refused, and keeps the reason', () => {
    assert.deepEqual(probed([refused])[0], {
      kind: 'ejected',
      failures: 0,
      reason: 'connect ECONNREFUSED',
      probedAtMs: 1_000,
      nextProbeAtMs: 1_100,
    });
  });

  test('asks an ejected server ever less often, and never less often than the bound', () => {
    const states = probed(Array(8).fill(refused), 1 - Number.EPSILON);
    const delays = states.map(({ probedAtMs, nextProbeAtMs }) => Math.round(nextProbeAtMs - probedAtMs));
    assert.deepEqual(delays, [200, 400, 800, 1_600, 2_000, 2_000, 2_000, 2_000]);
  });

  test('readmits with the first answer', () => {
    const [, , back] = probed([refused, refused, answered], 0.5);
    assert.deepEqual([back?.kind, back?.failures], ['serving', 0]);
    assert.equal(back!.nextProbeAtMs - back!.probedAtMs, settings.intervalMs);
  });

  test('always asks again, within the interval or the back-off', () => {
    const signs = fc.array(fc.constantFrom(answered, failed, refused), { minLength: 1, maxLength: 60 });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(signs, random, (given, lot) => {
        for (const { kind, probedAtMs, nextProbeAtMs } of probed(given, lot)) {
          const delayMs = Math.round(nextProbeAtMs - probedAtMs); // sums of times lose their last digits
          assert.ok(delayMs >= settings.retryMs, `${delayMs}`);
          assert.ok(delayMs <= (kind === 'ejected' ? settings.backOffMaxMs : 1.1 * settings.intervalMs), `${delayMs}`);
        }
      }),
    );
  });

  test('spreads routers that lost a server together over half of the delay', () => {
    const delay = (random: number) => {
      const health = probed(Array(6).fill(refused), random).at(-1)!;
      return Math.round(health.nextProbeAtMs - health.probedAtMs);
    };
    assert.deepEqual([delay(0), delay(0.5), delay(1 - Number.EPSILON)], [1_000, 1_500, 2_000]);
  });
});

describe('afterBrokenConnection', () => {
  test('asks at once', () => {
    assert.equal(afterBrokenConnection(well, 700, settings).nextProbeAtMs, 700);
  });

  test('asks no sooner than the quick pace after the last probe', () => {
    assert.equal(afterBrokenConnection(well, 30, settings).nextProbeAtMs, 100);
  });

  test('does not put off a probe that is due', () => {
    assert.equal(afterBrokenConnection(well, 1_500, settings), well);
  });

  test('leaves an ejected server its own pace', () => {
    const [ejected] = probed([refused]);
    assert.equal(afterBrokenConnection(ejected!, 1_001, settings), ejected);
  });
});
