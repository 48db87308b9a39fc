import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import type { Copy } from '../../../src/backends/host/copy.ts';
import { HeldCopy } from '../../../src/backends/host/held-copy.ts';
import { MemoryKeeper } from '../../../src/backends/host/memory-keeper.ts';
import type { CopySpec } from '../../../src/protocol/link/messages.ts';

const spec = (model: string): CopySpec => ({
  model,
  version: 1,
  directory: '',
  stamp: '',
  pinned: false,
  wanted: true,
});

/** A keeper of a process that loads one model at a time and is loading one: whatever comes waits. */
function busyKeeper(): { keeper: MemoryKeeper; loading: HeldCopy } {
  const loading = new HeldCopy(1, spec('first'), 0, () => {});
  const keeper = new MemoryKeeper(
    { limitBytes: 1_000, ceilingBytes: 1_000, cores: 1, loads: 1, usualLoadMs: () => 10 },
    new Map([[1, loading]]),
    async () => {},
  );
  loading.become({ kind: 'loading', sinceMs: 0, expectedBytes: 10 });
  return { keeper, loading };
}

/** A keeper of one copy of 600 bytes, whose second session holds 200 more, under a limit of 1,000. */
function keeperOfSessions() {
  const memory = { runPeakBytes: 0, parallelRuns: 1, coresPerRun: 1 };
  const fakeRuns = {
    memory,
    siblingBytes: 200,
    lastRunMs: 0,
    async shed() {
      fakeRuns.siblingBytes = 0;
    },
  };
  const copy = new HeldCopy(1, spec('only'), 0, () => {});
  copy.become({ kind: 'loading', sinceMs: 0, expectedBytes: 600 });
  copy.become({ kind: 'warming', sinceMs: 0, residentBytes: 600 });
  copy.become({ kind: 'ready', sinceMs: -1e6, residentBytes: 600 });
  copy.serving = { runs: fakeRuns, inFlight: 0, wasUsed: true } as unknown as Copy;
  const emptied: HeldCopy[] = [];
  const keeper = new MemoryKeeper(
    { limitBytes: 1_000, ceilingBytes: 1_000, cores: 1, loads: 1, usualLoadMs: () => 10 },
    new Map([[1, copy]]),
    async (leaving) => {
      emptied.push(leaving);
      copy.become({ kind: 'draining', sinceMs: 0, residentBytes: 600 });
      copy.become({ kind: 'unloading', sinceMs: 0, residentBytes: 600 });
      copy.become({ kind: 'gone' });
      copy.serving = undefined;
    },
  );
  return { keeper, fakeRuns, emptied };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('MemoryKeeper', () => {
  test('admits a load once the one before it is done', async () => {
    const { keeper, loading } = busyKeeper();
    const admitted = keeper.admit(spec('second'), 10);
    await turn();
    assert.equal(keeper.loadsQueued, 1);
    loading.become({ kind: 'failed', reason: { code: 'load_failed', facts: {} } });
    keeper.changed();
    await admitted;
    await turn();
    assert.equal(keeper.loadsQueued, 0);
  });

  test('looks at the load that waits as soon as a copy becomes idle', async () => {
    const { keeper, loading } = busyKeeper();
    const admitted = keeper.admit(spec('second'), 10);
    await turn();
    loading.become({ kind: 'failed', reason: { code: 'load_failed', facts: {} } });
    keeper.becameIdle(false);
    await admitted;
  });

  test('sums up no copies when one becomes idle that nobody waits for, and later only where it takes more than it did', (t) => {
    const { keeper, fakeRuns } = keeperOfSessions();
    let sums = 0;
    Object.defineProperty(fakeRuns, 'memory', {
      get: () => {
        sums++;
        return { runPeakBytes: 0, parallelRuns: 1, coresPerRun: 1 };
      },
    });
    t.mock.timers.enable({ apis: ['setTimeout'] });
    for (let request = 0; request < 1_000; request++) keeper.becameIdle(false);
    t.mock.timers.tick(1_000);
    assert.equal(sums, 0);
    keeper.becameIdle(true);
    assert.equal(sums, 0, 'not while requests are served');
    t.mock.timers.tick(1_000);
    assert.ok(sums > 0, 'what its runs came to take was looked at');
  });

  test('keeps one timer for the loads that wait, however often it is told of changes', async (t) => {
    const timers = mock.method(globalThis, 'setTimeout');
    t.after(() => timers.mock.restore());
    const { keeper } = busyKeeper();
    void keeper.admit(spec('second'), 10);
    for (let change = 0; change < 50; change++) {
      keeper.changed();
      await turn();
    }
    const waits = timers.mock.calls.filter((call) => call.arguments[1] === 20);
    assert.ok(waits.length >= 1 && waits.length <= 5, `${waits.length} timers for 50 changes`);
  });

  test('has no memory to spare but within the limit as it is now', () => {
    const { keeper } = keeperOfSessions();
    assert.equal(keeper.usedBytes, 800);
    assert.equal(keeper.hasSpare(100), true);
    keeper.limitBytes = 900;
    assert.equal(keeper.hasSpare(100), false);
  });

  test('gives up further sessions before copies when the limit is lowered', async () => {
    const { keeper, fakeRuns, emptied } = keeperOfSessions();
    keeper.limitBytes = 700;
    await turn();
    assert.deepEqual([fakeRuns.siblingBytes, emptied.length, keeper.usedBytes], [0, 0, 600]);
    keeper.limitBytes = 500;
    await turn();
    assert.deepEqual([emptied.length, keeper.usedBytes], [1, 0]);
  });
});
