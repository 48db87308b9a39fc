import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type CopyLoad, chooseCopy } from '../../../src/router/routing/choose-copy.ts';
import { seededRandom } from '../../../src/simulation/seeded-random.ts';

const copies = fc.array(fc.record({ inFlight: fc.nat(20), latencyMs: fc.nat(100) }), { minLength: 2, maxLength: 40 });

/** How often each of the copies is taken. */
function shares(loads: readonly CopyLoad[], draws = 3_000): number[] {
  const random = seededRandom(7);
  const taken = loads.map(() => 0);
  for (let draw = 0; draw < draws; draw++) taken[chooseCopy(loads, random)]! += 1 / draws;
  return taken;
}

describe('chooseCopy', () => {
  test('always names a copy, and never the worse in both respects of two', () => {
    fc.assert(
      fc.property(copies, fc.integer(), (loads, seed) => {
        const chosen = chooseCopy(loads, seededRandom(seed));
        assert.ok(loads[chosen] !== undefined);
        const pair = loads.slice(0, 2);
        const better = pair[0]!.inFlight < pair[1]!.inFlight && pair[0]!.latencyMs < pair[1]!.latencyMs;
        if (better) assert.equal(chooseCopy(pair, seededRandom(seed)), 0);
      }),
    );
  });

  test('answers -1 where there is none and takes the only one', () => {
    assert.equal(
      chooseCopy([], () => 0.5),
      -1,
    );
    assert.equal(
      chooseCopy([{ inFlight: 9, latencyMs: 9 }], () => 0.99),
      0,
    );
  });

  test('takes the one with less in flight of two, and the faster where both have as much', () => {
    assert.ok(
      shares([
        { inFlight: 3, latencyMs: 1 },
        { inFlight: 2, latencyMs: 50 },
      ])[1]! > 0.99,
    );
    assert.ok(
      shares([
        { inFlight: 2, latencyMs: 9 },
        { inFlight: 2, latencyMs: 8 },
      ])[1]! > 0.99,
    );
  });

  test('goes by latency among the cold, and leaves the hot alone', () => {
    const loads = [4, 4, 3, 3, 2, 2, 9].map((inFlight, at) => ({ inFlight, latencyMs: at === 6 ? 1 : 10 + at }));
    const taken = shares(loads);
    assert.ok(taken[6]! < 0.001, 'the hot one is the fastest, and is not taken');
    assert.ok(taken[0]! > taken[1]! && taken[1]! > taken[3]! && taken[3]! > taken[5]!, String(taken));
  });

  test('takes the one with less in flight of two hot ones, and of two cold ones that are as fast', () => {
    const cold = Array.from({ length: 18 }, () => ({ inFlight: 1, latencyMs: 5 }));
    const loads = [{ inFlight: 9, latencyMs: 1 }, { inFlight: 8, latencyMs: 2 }, ...cold];
    const draws = (first: number) => [first / 20, 0, 0][Symbol.iterator]();
    const choose = (from: readonly CopyLoad[], first: number) => {
      const numbers = draws(first);
      return chooseCopy(from, () => numbers.next().value ?? 0);
    };
    assert.equal(choose(loads, 0), 1, 'both draws are hot');
    assert.equal(choose(loads, 1), 2, 'one draw is cold');
    assert.equal(choose(loads.with(3, { inFlight: 0, latencyMs: 5 }), 2), 3, 'both draws are cold');
  });

  test('tells hot from cold by a sample of the fleet, not always by the same few', () => {
    const loads = Array.from({ length: 200 }, (_, at) =>
      at < 16 ? { inFlight: 10, latencyMs: 1 } : { inFlight: 1, latencyMs: 5 },
    );
    const hot = shares(loads)
      .slice(0, 16)
      .reduce((sum, share) => sum + share, 0);
    assert.ok(hot < 0.05, String(hot));
  });

  test('spreads equal copies evenly, however many there are', () => {
    for (const count of [2, 5, 40]) {
      const taken = shares(
        Array.from({ length: count }, () => ({ inFlight: 1, latencyMs: 1 })),
        20_000,
      );
      for (const share of taken) assert.ok(Math.abs(share - 1 / count) < 0.03 / Math.sqrt(count), String(taken));
    }
  });

  test('tries a new copy whose latency is unknown', () => {
    assert.ok(
      shares([
        { inFlight: 0, latencyMs: 5 },
        { inFlight: 0, latencyMs: 0 },
      ])[1]! > 0.99,
    );
  });

  test('keeps queues even when one copy is four times slower', () => {
    const random = seededRandom(3);
    const loads = [1, 1, 1, 4].map((slowness) => ({ inFlight: 0, latencyMs: 0, slowness, doneAtMs: [] as number[] }));
    let most = 0;
    const answered = loads.map(() => 0);
    for (let nowMs = 0; nowMs < 6_000; nowMs++) {
      const chosen = loads[chooseCopy(loads, random)]!;
      const startMs = Math.max(nowMs, chosen.doneAtMs.at(-1) ?? 0);
      chosen.doneAtMs.push(startMs + 3 * chosen.slowness);
      for (const [at, copy] of loads.entries()) {
        while ((copy.doneAtMs[0] ?? Infinity) <= nowMs) {
          copy.doneAtMs.shift();
          answered[at]! += 1;
        }
        copy.inFlight = copy.doneAtMs.length;
        copy.latencyMs = 3 * copy.slowness * (1 + copy.inFlight);
        most = Math.max(most, copy.inFlight);
      }
    }
    // One request a millisecond, 13/12 of that can be answered: at 92 % load, turns would bury the slow copy under hundreds.
    assert.ok(most < 40, `${most} in one queue`);
    assert.ok(answered[3]! > 0.5 * 500, `the slow one answered ${answered[3]}`);
  });
});
