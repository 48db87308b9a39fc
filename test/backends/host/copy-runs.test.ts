import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layoutsOf } from '../../../src/backends/batching/run-setting.ts';
import { CopyRuns } from '../../../src/backends/host/copy-runs.ts';
import { formatRunNotes } from '../../../src/backends/host/run-notes.ts';
import { until } from '../../adapters/until.ts';
import { echo, echoSignature, FakeModel } from './fake-model.ts';

interface FakeSessions {
  readonly runs: CopyRuns;
  readonly made: { readonly threads: number; readonly model: FakeModel }[];
  readonly notes: Map<string, string>;
  readonly first: FakeModel;
}

const siblingBytes = 100;

function fakeModel(): FakeModel {
  return new FakeModel({ signature: echoSignature, compute: echo, isQuick: true });
}

/** Runs of a fake model on two cores that can have further sessions, where there is room. */
function fakeSessions(settings: { room?: boolean; broken?: boolean; notes?: string } = {}): FakeSessions {
  const { room = true, broken = false } = settings;
  const first = fakeModel();
  const made: FakeSessions['made'] = [];
  const notes = new Map(settings.notes === undefined ? [] : [['runs-2.json', settings.notes]]);
  const siblings = {
    residentBytes: siblingBytes,
    load: (threads: number) => {
      if (broken) return Promise.reject(new Error('the files are gone'));
      const model = fakeModel();
      made.push({ threads, model });
      return Promise.resolve(model);
    },
  };
  const keeper = {
    read: (name: string) => Promise.resolve(notes.get(name)),
    write: (name: string, text: string) => Promise.resolve(void notes.set(name, text)),
  };
  const runs = new CopyRuns({
    model: Object.assign(first, { siblings, notes: keeper }),
    cores: 2,
    layouts: layoutsOf({ cores: 2, threads: 2, threadsAreGiven: false, givenSlots: undefined }),
    maxRows: 4,
    rowsAreGiven: false,
    takeRoom: () => room,
    runLimitBytes: Infinity,
  });
  return { runs, made, notes, first };
}

/** So many runs one after the other, with a queue behind them, each as long as `msOf` says. */
function run(runs: CopyRuns, count: number, msOf: (threads: number, rows: number) => number, atMs = 0): number {
  let nowMs = atMs;
  for (let i = 0; i < count; i++) {
    const setting = runs.planner.plan(8, Infinity, nowMs);
    const all = Array.from({ length: setting.slots }, () => runs.begin(setting, setting.rows, nowMs));
    nowMs += msOf(setting.threads, setting.rows);
    for (const one of all) runs.end(one, true, nowMs);
  }
  return nowMs;
}

describe('CopyRuns', () => {
  test('makes a second session once many requests came together for long, and runs on it', async () => {
    const { runs, made } = fakeSessions();
    assert.equal(runs.siblingBytes, 0);
    run(runs, 96, () => 50);
    await until('a second session', () => made.length > 0);
    assert.equal(made[0]!.threads, 1);
    assert.equal(runs.siblingBytes, siblingBytes);
    await until('its use', () => runs.model(1) === made[0]!.model);
  });

  test('has grown where a run took more rows or more ran at once than ever before, and only then', () => {
    const { runs } = fakeSessions();
    const setting = { threads: 2, slots: 1, rows: 4 };
    const began = (rows: number) => {
      const one = runs.begin(setting, rows, 0);
      return [one, runs.takeGrowth()] as const;
    };
    const [first, grew] = began(1);
    assert.equal(grew, true);
    runs.end(first, true, 1);
    const [second, again] = began(1);
    assert.equal(again, false);
    assert.equal(began(1)[1], true, 'two at once');
    runs.end(second, true, 2);
    assert.equal(began(1)[1], false);
    assert.equal(began(4)[1], true, 'more rows');
    runs.expect({ threads: 1, slots: 2, rows: 4 });
    assert.equal(runs.takeGrowth(), true, 'fewer cores each');
    assert.equal(runs.takeGrowth(), false);
  });

  test('makes none where others would have to go for it', async () => {
    const { runs, made } = fakeSessions({ room: false });
    run(runs, 200, () => 50);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([made.length, runs.siblingBytes], [0, 0]);
  });

  test('goes on with the first where a second cannot be made', async () => {
    const { runs, first } = fakeSessions({ broken: true });
    run(runs, 200, () => 50);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([runs.siblingBytes, runs.model(1)], [0, first]);
  });

  test('gives up the others when memory is wanted, after their runs, and goes on with the first', async () => {
    const { runs, made, first } = fakeSessions();
    run(runs, 96, () => 50);
    await until('a second session', () => runs.model(1) !== first);
    await runs.shed();
    assert.deepEqual([runs.siblingBytes, runs.model(1), made[0]!.model.unloads], [0, first, 1]);
    assert.equal(runs.planner.plan(8, Infinity, 1e6).threads, 2);
  });

  test('frees every session when the copy goes', async () => {
    const { runs, made, first } = fakeSessions();
    run(runs, 96, () => 50);
    await until('a second session', () => runs.model(1) !== first);
    await runs.unload();
    assert.deepEqual([first.unloads, made[0]!.model.unloads], [1, 1]);
  });

  test('keeps what it learned for the next load, and begins with what an earlier one kept', async () => {
    const before = fakeSessions();
    run(before.runs, 300, (threads, rows) => (threads === 2 ? 10 * rows : 30 * rows));
    await before.runs.unload();
    const kept = before.notes.get('runs-2.json');
    assert.ok(kept !== undefined);
    const after = fakeSessions({ notes: kept });
    await until('what was kept', () => after.runs.planner.costs.all().length > 0);
    assert.equal(formatRunNotes(after.runs.planner.costs.all()), kept);
  });

  test('keeps nothing of a copy that hardly ran', async () => {
    const { runs, notes } = fakeSessions();
    run(runs, 3, () => 5);
    await runs.unload();
    assert.equal(notes.size, 0);
  });

  test('tells the memory of runs as far as they went', () => {
    const { runs } = fakeSessions();
    assert.deepEqual(runs.memory, { runPeakBytes: 0, parallelRuns: 1, coresPerRun: 2 });
    const setting = { threads: 2, slots: 2, rows: 2 };
    const both = [runs.begin(setting, 2, 0), runs.begin(setting, 1, 0)];
    for (const one of both) runs.end(one, true, 1);
    assert.deepEqual(runs.memory, { runPeakBytes: 0, parallelRuns: 2, coresPerRun: 1 });
    assert.equal(runs.peakRows, 2);
  });
});
