import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RunPlanner } from '../../../src/backends/batching/run-planner.ts';
import { layoutsOf, levelOf, rowLadder, settingKey, settingsAt } from '../../../src/backends/batching/run-setting.ts';
import { seededRandom } from '../../fixtures/random.ts';
import { type TrueCost, VirtualCopy } from './virtual-copy.ts';

const maxRows = 8;

function plannerOf(cores: number): RunPlanner {
  const threads = Math.min(4, cores);
  const layouts = layoutsOf({ cores, threads, threadsAreGiven: false, givenSlots: undefined });
  return new RunPlanner({ layouts, maxRows, rowsAreGiven: false });
}

function bestRate(cores: number, cost: TrueCost, population: number): number {
  const layouts = layoutsOf({ cores, threads: Math.min(4, cores), threadsAreGiven: false, givenSlots: undefined });
  const settings = settingsAt(levelOf(population), layouts, rowLadder(maxRows));
  return Math.max(...settings.map((setting) => (1000 * setting.slots * setting.rows) / cost(setting, 0)));
}

/** Serves, and gives the planner the sessions that it wants, as a copy does. */
function serveFor(copy: VirtualCopy, planner: RunPlanner, population: number, forMs: number): number {
  let rate = 0;
  const parts = 20;
  for (let i = 0; i < parts; i++) {
    rate += copy.serve(population, forMs / parts) / parts;
    const wanted = planner.wantedThreads();
    if (wanted !== undefined) planner.setSession(wanted, true);
    const unused = planner.unusedThreads();
    if (unused !== undefined) planner.setSession(unused, false);
  }
  return rate;
}

/** Two cores: measured on MobileNetV2 and ResNet-50, two very different machines, and a model that costs next to nothing. */
const machines: Readonly<Record<string, TrueCost>> = {
  'MobileNetV2, best as one run of two threads': ({ threads, slots, rows }) =>
    threads === 2 ? (slots === 1 ? [0, 2.34, 5.2, 8, 11, 14, 18, 21, 24.4][rows]! : 5.4 * rows) : 2.75 * slots * rows,
  'MobileNetV2, best as two runs of two rows': ({ threads, slots, rows }) =>
    threads === 2 ? slots * (rows === 1 ? 5.5 : 4.1 * rows) : slots * 4.6 * rows,
  'ResNet-50, best as two runs of one thread': ({ threads, slots, rows }) =>
    threads === 2 ? slots * (rows === 1 ? 40 : 24 * rows) : (slots === 1 ? 38 : 40.6) * rows,
  'a model of no work': ({ rows }) => 0.5 + 0.01 * rows,
};

describe('RunPlanner', () => {
  for (const [name, cost] of Object.entries(machines)) {
    test(`comes to serve about as much as could be served: ${name}`, () => {
      const planner = plannerOf(2);
      const random = seededRandom(3);
      const copy = new VirtualCopy(planner, 2, (setting) => cost(setting, 0) * (0.85 + 0.3 * random()));
      serveFor(copy, planner, 16, 20_000);
      const rate = serveFor(copy, planner, 16, 20_000);
      const best = bestRate(2, cost, 16);
      assert.ok(rate >= 0.9 * best, `${rate} of ${best}: ${JSON.stringify(planner.choices())}`);
    });
  }

  test('comes near the best of machines and models that it knows nothing of', () => {
    const factor = fc.double({ min: 0.85, max: 1.1, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 4, 8),
        fc.constantFrom(2, 8, 32),
        fc.array(factor, { minLength: 40, maxLength: 40 }),
        (cores, population, factors) => {
          // Work that the cores share, more or less for each setting: how it scales is not smooth.
          const cost: TrueCost = ({ threads, slots, rows }) => {
            const at = (threads * 7 + slots * 13 + rows * 3) % factors.length;
            return ((rows * Math.max(slots * threads, cores)) / (cores * threads)) * 8 * factors[at]!;
          };
          const planner = plannerOf(cores);
          const copy = new VirtualCopy(planner, cores, cost);
          serveFor(copy, planner, population, 40_000);
          const rate = serveFor(copy, planner, population, 10_000);
          const best = bestRate(cores, cost, population);
          assert.ok(rate >= 0.7 * best, `${rate} of ${best}: ${JSON.stringify(planner.choices())}`);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('follows a machine that changes', () => {
    const before = machines['MobileNetV2, best as one run of two threads']!;
    const after = machines['MobileNetV2, best as two runs of two rows']!;
    const planner = plannerOf(2);
    const copy = new VirtualCopy(planner, 2, (setting, nowMs) => (nowMs < 20_000 ? before : after)(setting, nowMs));
    serveFor(copy, planner, 16, 20_000);
    serveFor(copy, planner, 16, 60_000);
    const rate = serveFor(copy, planner, 16, 20_000);
    assert.ok(rate >= 0.85 * bestRate(2, after, 16), `${rate}: ${JSON.stringify(planner.choices())}`);
  });

  test('does not change its mind over what varies by chance', () => {
    const planner = plannerOf(2);
    const random = seededRandom(11);
    // All settings are as good as each other; each run is off by up to a third.
    const copy = new VirtualCopy(planner, 2, ({ slots, rows }) => 5 * slots * rows * (0.67 + 0.67 * random()));
    const seen = new Set<string>();
    let changes = 0;
    let last = '';
    for (let i = 0; i < 120; i++) {
      copy.serve(16, 1_000);
      const now = JSON.stringify(planner.choices().map(({ choice }) => settingKey(choice.setting)));
      seen.add(now);
      if (now !== last) changes += 1;
      last = now;
    }
    assert.ok(changes <= 15, `${changes} changes in two minutes`);
  });

  test('tries nothing with a lone request, and nothing while one that waits is near its deadline', () => {
    for (const [population, spareMs] of [
      [1, Infinity],
      [16, 100],
    ] as const) {
      const planner = plannerOf(2);
      const copy = new VirtualCopy(planner, 2, ({ slots, rows }) => 10 * slots * rows);
      copy.serve(population, 20_000, spareMs);
      const kinds = new Set(copy.runs.slice(100).map(({ setting }) => settingKey(setting)));
      assert.equal(kinds.size, 1, [...kinds].join(' '));
    }
  });

  test('spends a bounded part of the time on trials', () => {
    const planner = plannerOf(2);
    // One setting is far better than all others: everything else that is run is a trial.
    const copy = new VirtualCopy(planner, 2, ({ threads, slots, rows }) =>
      threads === 2 && slots === 1 && rows === 1 ? 5 : 20 * slots * rows,
    );
    copy.serve(16, 60_000);
    const trialMs = copy.runs
      .filter(({ setting, startMs }) => settingKey(setting) !== '2.1.1' && startMs > 10_000)
      .reduce((sum, run) => sum + run.endMs - run.startMs, 0);
    assert.ok(trialMs <= 0.1 * 50_000, `${trialMs} ms of 50 s`);
  });

  test('gives a lone request the quickest run that is known, whatever serves most', () => {
    const planner = plannerOf(2);
    const copy = new VirtualCopy(planner, 2, machines['ResNet-50, best as two runs of one thread']!);
    serveFor(copy, planner, 16, 20_000);
    const settings = [1, 16].map((rows) => planner.plan(rows, Infinity, copy.nowMs));
    assert.deepEqual(
      settings.map(({ threads, slots }) => [threads, slots]),
      [
        [2, 1],
        [1, 2],
      ],
    );
  });

  test('goes on where an earlier process left off', () => {
    const cost = machines['ResNet-50, best as two runs of one thread']!;
    const first = plannerOf(2);
    serveFor(new VirtualCopy(first, 2, cost), first, 16, 20_000);
    const second = plannerOf(2);
    second.restore(first.costs.all());
    const copy = new VirtualCopy(second, 2, cost);
    copy.serve(16, 500);
    assert.equal(second.wantedThreads(), 1);
    second.setSession(1, true);
    copy.serve(16, 500);
    const rate = copy.serve(16, 10_000);
    assert.ok(rate >= 0.9 * bestRate(2, cost, 16), String(rate));
  });

  test('wants no second session where requests come one at a time, and gives one up that serves nothing', () => {
    const planner = plannerOf(2);
    const copy = new VirtualCopy(planner, 2, machines['MobileNetV2, best as one run of two threads']!);
    copy.serve(1, 60_000);
    assert.equal(planner.wantedThreads(), undefined);
    copy.serve(16, 5_000);
    assert.equal(planner.wantedThreads(), 1);
    planner.setSession(1, true);
    copy.serve(16, 20_000);
    assert.equal(planner.unusedThreads(), 1);
  });

  test('leaves the size of batches to the user who wrote them', () => {
    const layouts = layoutsOf({ cores: 2, threads: 2, threadsAreGiven: false, givenSlots: undefined });
    const planner = new RunPlanner({ layouts, maxRows: 8, rowsAreGiven: true });
    const copy = new VirtualCopy(planner, 2, ({ slots, rows }) => slots * rows ** 2);
    copy.serve(64, 20_000);
    assert.deepEqual([...new Set(copy.runs.map(({ setting }) => setting.rows))], [8]);
  });
});
