import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Batcher, type ExpiredItem } from '../../../src/backends/batching/batcher.ts';
import type { BatchingOptions } from '../../../src/backends/batching/batching-options.ts';
import { BatchItem } from '../../../src/backends/batching/item.ts';
import { LatencyModel } from '../../../src/backends/batching/latency-model.ts';
import { plainBatching } from './plain-batching.ts';

const policies = fc.record({
  maxQueueSize: fc.constantFrom(1, 3, 10, Infinity),
  defaultTimeoutMs: fc.constantFrom(2, 9, Infinity),
  timeoutAction: fc.constantFrom('reject' as const, 'delay' as const),
  allowTimeoutOverride: fc.boolean(),
});

const settings: fc.Arbitrary<BatchingOptions> = fc
  .record({
    maxBatchRows: fc.integer({ min: 1, max: 8 }),
    preferred: fc.subarray([1, 2, 3, 4, 5, 6, 7, 8]),
    maxQueueDelayMs: fc.constantFrom(0, 0, 3, 10),
    preserveOrdering: fc.constant(false),
    levels: fc.array(policies, { minLength: 1, maxLength: 3 }),
    defaultLevel: fc.constant(1),
  })
  .map(({ preferred, ...rest }) => ({ ...rest, preferredRows: preferred.filter((rows) => rows <= rest.maxBatchRows) }));

const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('push' as const),
        rows: fc.integer({ min: 1, max: 9 }),
        key: fc.constantFrom('a', 'b', 'c'),
        priority: fc.integer({ min: 0, max: 4 }),
        timeoutUs: fc.constantFrom(0, 0, 1_000, 5_000),
        forMs: fc.constantFrom(0, 1, 7, 20, Infinity),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('next' as const), freeSlots: fc.integer({ min: 0, max: 2 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 6 }) }) },
  ),
  { maxLength: 80 },
);

interface Run {
  readonly atMs: number;
  readonly items: readonly BatchItem[];
  readonly rows: number;
}

/** Everything that was seen of one sequence of steps, played to the end so that the queue is empty. */
function play(options: BatchingOptions, script: typeof steps extends fc.Arbitrary<infer S> ? S : never) {
  const batcher = new Batcher<BatchItem>(options);
  const seen = {
    accepted: [] as BatchItem[],
    runs: [] as Run[],
    expired: [] as (ExpiredItem<BatchItem> & { atMs: number })[],
    cancelled: [] as BatchItem[],
    mostQueued: new Map<number, number>(),
  };
  let nowMs = 100;
  const next = (freeSlots: number) => {
    const step = batcher.next(nowMs, freeSlots);
    for (const gone of step.expired) seen.expired.push({ ...gone, atMs: nowMs });
    if (step.kind === 'run') seen.runs.push({ atMs: nowMs, items: step.items, rows: step.rows });
    else if (batcher.queuedItems > 0 && freeSlots > 0) assert.ok(step.wakeAtMs > nowMs, 'woken to do nothing');
    return step;
  };
  for (const step of script) {
    if (step.do === 'pass') nowMs += step.ms;
    else if (step.do === 'next') next(step.freeSlots);
    else if (step.do === 'cancel') {
      const item = seen.accepted[step.which % Math.max(1, seen.accepted.length)];
      if (item !== undefined && batcher.cancel(item)) seen.cancelled.push(item);
    } else {
      const item = new BatchItem({ ...step, deadlineMs: nowMs + step.forMs });
      if (batcher.push(item, nowMs) === undefined) seen.accepted.push(item);
      const level = item.lane >> 1;
      const queued = seen.accepted.filter(({ lane }) => lane >= 0 && lane >> 1 === level).length;
      if (level >= 0) seen.mostQueued.set(level, Math.max(queued, seen.mostQueued.get(level) ?? 0));
    }
  }
  for (let turns = 0; batcher.queuedItems > 0; turns++) {
    assert.ok(turns < 1_000, 'the queue never empties');
    const step = next(1);
    if (step.kind === 'wait') nowMs = Math.max(nowMs, Math.min(step.wakeAtMs, nowMs + 1_000));
  }
  assert.equal(batcher.queuedRows, 0);
  return seen;
}

function always(holds: (options: BatchingOptions, seen: ReturnType<typeof play>) => void): void {
  fc.assert(
    fc.property(settings, steps, (options, script) => holds(options, play(options, script))),
    { numRuns: 300 },
  );
}

describe('Batcher', () => {
  test('loses nothing and runs nothing twice', () => {
    always((_, { accepted, runs, expired, cancelled }) => {
      const out = [...runs.flatMap(({ items }) => items), ...expired.map(({ item }) => item), ...cancelled];
      assert.equal(out.length, accepted.length);
      assert.equal(new Set(out).size, accepted.length);
    });
  });

  test('never runs more rows than the model takes, and counts them right', () => {
    always(({ maxBatchRows }, { runs }) => {
      for (const { items, rows } of runs) {
        assert.ok(items.length > 0 && rows <= maxBatchRows);
        assert.equal(
          rows,
          items.reduce((sum, item) => sum + item.rows, 0),
        );
      }
    });
  });

  test('joins equal keys only', () => {
    always((_, { runs }) => {
      for (const { items } of runs) assert.equal(new Set(items.map(({ key }) => key)).size, 1);
    });
  });

  test('runs the items of one key and level in the order in which they came, but for those that a timeout delayed', () => {
    always((options, { accepted, runs }) => {
      const level = ({ priority }: BatchItem) => (priority >= 1 && priority <= options.levels.length ? priority : 1);
      const isTimed = (item: BatchItem) => options.levels[level(item) - 1]!.defaultTimeoutMs !== Infinity;
      const ran = runs.flatMap(({ items }) => items).filter((item) => !isTimed(item));
      const came = accepted.filter((item) => ran.includes(item));
      const group = (items: BatchItem[]) => Map.groupBy(items, (item) => `${level(item)} ${item.key}`);
      const before = group(came);
      for (const [name, items] of group(ran))
        assert.deepEqual(
          items.map((i) => came.indexOf(i)),
          before.get(name)!.map((i) => came.indexOf(i)),
        );
    });
  });

  test('holds no level above its bound', () => {
    always(({ levels }, { mostQueued }) => {
      for (const [level, most] of mostQueued) assert.ok(most <= levels[level]!.maxQueueSize);
    });
  });

  test('runs nothing whose deadline has passed, and refuses nothing before its time', () => {
    always((options, { runs, expired }) => {
      for (const { items, atMs } of runs) for (const item of items) assert.ok(item.deadlineMs > atMs);
      for (const { item, why, atMs } of expired) {
        if (why === 'deadline') assert.ok(item.deadlineMs <= atMs);
        else
          assert.ok(options.levels.some(({ timeoutAction }) => timeoutAction === 'reject') && atMs > item.enqueuedMs);
      }
    });
  });

  test('runs a lone item at once where no delay is set', () => {
    fc.assert(
      fc.property(settings, fc.integer({ min: 1, max: 8 }), (options, rows) => {
        const batcher = new Batcher<BatchItem>({ ...options, maxQueueDelayMs: 0 });
        const item = new BatchItem({ rows, key: 'k' });
        fc.pre(batcher.push(item, 5) === undefined);
        assert.deepEqual(batcher.next(5, 1), { kind: 'run', items: [item], rows, expired: [] });
      }),
    );
  });

  test('never lets an item wait longer than the delay while a slot is free', () => {
    fc.assert(
      fc.property(
        settings,
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 30 }),
        (options, gaps) => {
          const batcher = new Batcher<BatchItem>({ ...options, levels: [options.levels[0]!] });
          let nowMs = 0;
          let wakeAtMs = Infinity;
          const drain = () => {
            for (;;) {
              const step = batcher.next(nowMs, 1);
              for (const item of step.kind === 'run' ? step.items : [])
                assert.ok(nowMs - item.enqueuedMs <= options.maxQueueDelayMs);
              if (step.kind === 'wait') return step.wakeAtMs;
            }
          };
          for (const [at, gap] of gaps.entries()) {
            const untilMs = nowMs + gap;
            for (; wakeAtMs <= untilMs; wakeAtMs = drain()) nowMs = wakeAtMs;
            nowMs = untilMs;
            batcher.push(new BatchItem({ rows: 1, key: 'abc'[at % 3]! }), nowMs);
            wakeAtMs = drain();
          }
        },
      ),
    );
  });

  test('does not let an estimate refuse what could start now, but refuses early what waited too long', () => {
    const latency = new LatencyModel();
    latency.learn(1, 50);
    const batcher = new Batcher<BatchItem>(plainBatching(1, 10), latency);
    const hopeless = new BatchItem({ rows: 1, key: 'k', deadlineMs: 20 });
    batcher.push(hopeless, 0);
    assert.equal(batcher.next(0, 1).kind, 'run');
    const waiting = new BatchItem({ rows: 1, key: 'k', deadlineMs: 100 });
    batcher.push(waiting, 0);
    assert.deepEqual(batcher.next(0, 0), { kind: 'wait', wakeAtMs: 50, expired: [] });
    assert.deepEqual(batcher.next(50, 0).expired, [{ item: waiting, why: 'deadline' }]);
  });

  test('does not slow down with the length of the queue', () => {
    // Counted, not timed: 40,000 queued items with random deadlines leave in one pass; a shifted array would need 8e8 moves.
    const batcher = new Batcher<BatchItem>(plainBatching(8, Infinity));
    for (let at = 0; at < 40_000; at++)
      batcher.push(new BatchItem({ rows: 1, key: String(at % 7), deadlineMs: 1e6 + ((at * 7919) % 40_000) }), at / 1e3);
    let runs = 0;
    for (; batcher.queuedItems > 0; runs++) assert.equal(batcher.next(50, 1).kind, 'run');
    assert.equal(runs, 7 * Math.ceil(40_000 / 7 / 8));
  });
});
