import assert from 'node:assert/strict';
import { afterEach, describe, mock, test } from 'node:test';
import fc from 'fast-check';
import { CopyKeeper } from '../../../src/backends/host/copy-keeper.ts';
import { CopyStatistics } from '../../../src/backends/host/copy-statistics.ts';
import type { HeldCopy } from '../../../src/backends/host/held-copy.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { until } from '../../adapters/until.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { FakeEngine } from './fake-engine.ts';
import { type SentRequest, send, turns } from './served-copy.ts';

const mebibyte = 2 ** 20;

interface Kept {
  readonly keeper: CopyKeeper;
  readonly engine: FakeEngine;
  readonly traces: string[];
}

function keep(t: { after(hook: () => void): void }, budgetBytes: number, loads = 2): Kept {
  const engine = new FakeEngine(temporaryDirectory(t));
  const traces: string[] = [];
  const keeper = new CopyKeeper({
    engine,
    budgetBytes,
    ceilingBytes: budgetBytes,
    loads,
    cores: 4,
    threads: 1,
    threadsAreGiven: false,
    defaultMaxBatchSize: 8,
    defaultMaxQueueSize: 100,
    warn: () => {},
    statisticsOf: (model, version) => new CopyStatistics(model, version),
    onChange: () => {},
    trace: (message) => traces.push(message),
  });
  return { keeper, engine, traces };
}

/** One request to a copy that is ready. */
function use(keeper: CopyKeeper, held: HeldCopy): SentRequest {
  return send(keeper.ready(held.id)!.serving!, { x: [1, 2], names: ['a'] });
}

function phasesOf(keeper: CopyKeeper): string[] {
  return Array.from(keeper.copies, ({ spec, state }) => `${spec.model} ${state.kind}`);
}

/** As if so much time had passed. */
function pass(ms: number): void {
  const now = performance.now.bind(performance);
  mock.method(performance, 'now', () => now() + ms);
}

afterEach(() => mock.restoreAll());

describe('CopyKeeper', () => {
  test('loads a model once, however many ask for it at once', async (t) => {
    const { keeper, engine } = keep(t, 100 * mebibyte);
    const spec = engine.add('a', { bytes: mebibyte });
    const held = await Promise.all(Array.from({ length: 5 }, () => keeper.load(spec)));
    assert.equal(new Set(held).size, 1);
    assert.equal(await keeper.load(spec), held[0]);
    assert.deepEqual([engine.begun, phasesOf(keeper)], [['a'], ['a ready']]);
  });

  test('expects of a model what others of its size took, however much a first load holds meanwhile', async (t) => {
    const { keeper, engine } = keep(t, 1_000 * mebibyte);
    engine.peakBytes = 400 * mebibyte;
    const tookMs = 500;
    const gate = Promise.withResolvers<void>();
    const first = keeper.load(engine.add('a', { bytes: mebibyte, gate: gate.promise }));
    await until('the first load', () => engine.begun.length === 1);
    pass(tookMs);
    gate.resolve();
    await first;
    const never = new Promise<void>(() => {});
    void keeper.load(engine.add('b', { bytes: mebibyte, gate: never }));
    await until('the second load', () => engine.begun.length === 2);
    const coming = [...keeper.copies].find(({ spec }) => spec.model === 'b')!;
    const expectedMs = coming.readyAtMs - performance.now();
    assert.ok(expectedMs < 10 * tookMs, `${expectedMs} ms after one of the same size took ${tookMs}`);
  });

  test('loads another stamp of a model beside the first', async (t) => {
    const { keeper, engine } = keep(t, 100 * mebibyte);
    const spec = engine.add('a', { bytes: mebibyte });
    const first = await keeper.load(spec);
    const second = await keeper.load({ ...spec, stamp: 's2' });
    assert.notEqual(first.id, second.id);
    assert.deepEqual(phasesOf(keeper), ['a ready', 'a ready']);
  });

  test('tells everybody who waits why a load failed, shows it, and tries again when it is asked again', async (t) => {
    const { keeper, engine } = keep(t, 100 * mebibyte);
    const failure = new SkeinError('load_failed', { model: 'a', version: 1, reason: 'broken' });
    const spec = engine.add('a', { bytes: mebibyte, failure });
    const outcomes = await Promise.allSettled([keeper.load(spec), keeper.load(spec)]);
    for (const outcome of outcomes) assert.equal((outcome as PromiseRejectedResult).reason, failure);
    assert.deepEqual([engine.begun.length, phasesOf(keeper), keeper.memory.usedBytes], [1, ['a failed'], 0]);
    engine.add('a', { bytes: mebibyte });
    await keeper.load(spec);
    assert.equal(engine.begun.length, 2);
  });

  test('never holds more than its budget, evicts nothing in use and settles every load, under random traffic', async (t) => {
    const budgetBytes = 64 * mebibyte;
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 3, maxLength: 10 });
    const step = fc.record({
      model: fc.nat(9),
      use: fc.integer({ min: 0, max: 3 }),
      gap: fc.nat(2),
      unload: fc.nat(9),
    });
    const clients = fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sizes, clients, fc.integer({ min: 1, max: 4 }), async (all, traffic, loads) => {
        const { keeper, engine, traces } = keep(t, budgetBytes, loads);
        const specs = all.map((size, i) => engine.add(`m${i}`, { bytes: size * mebibyte }));
        await Promise.all(
          traffic.map(async (steps) => {
            for (const { model, use: times, gap, unload } of steps) {
              await turns(gap);
              const held = await keeper.load(specs[model % specs.length]!);
              assert.ok(keeper.memory.usedBytes <= budgetBytes, `${keeper.memory.usedBytes} bytes are in use`);
              const sent = Array.from({ length: times }, () => (keeper.ready(held.id) ? use(keeper, held) : undefined));
              await until('answers', () => sent.every((one) => one === undefined || one.outcome() !== undefined));
              for (const one of sent) if (one !== undefined) assert.equal(one.outcome()!.kind, 'answer');
              if (unload === 0) await keeper.unload(held.id);
            }
          }),
        );
        assert.ok(engine.mostHeldBytes <= budgetBytes, `${engine.mostHeldBytes} bytes were held`);
        assert.ok(engine.mostLoading <= loads);
        assert.ok(!traces.includes('model could not be freed'), 'a copy was freed with runs under way');
        assert.equal(keeper.loadsQueued, 0);
        await keeper.unloadAll();
        assert.deepEqual([engine.heldBytes, keeper.memory.usedBytes, phasesOf(keeper)], [0, 0, []]);
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });

  test('gives up what is over a lowered budget, what is in use once it is idle', async (t) => {
    const { keeper, engine } = keep(t, 60 * mebibyte);
    const idle = await keeper.load(engine.add('idle', { bytes: 12 * mebibyte }));
    const busy = await keeper.load(engine.add('busy', { bytes: 12 * mebibyte, isSlow: true }));
    const request = use(keeper, busy);
    await until('the run', () => engine.modelOf('busy').runs.length === 1);
    keeper.memory.limitBytes = 0;
    await until('the idle one gone', () => idle.state.kind === 'gone');
    assert.equal(busy.state.kind, 'ready');
    engine.modelOf('busy').runs[0]!.finish();
    await until('the other gone', () => busy.state.kind === 'gone');
    assert.equal(request.outcome()?.kind, 'answer');
    assert.equal(keeper.memory.usedBytes, 0);
  });

  test('lets a load wait for a larger budget where it may become one, and tells how much waits', async (t) => {
    const { keeper, engine } = keep(t, 60 * mebibyte);
    keeper.memory.limitBytes = 0;
    const loading = keeper.load(engine.add('m', { bytes: 12 * mebibyte }));
    await until('the queue', () => keeper.memory.queuedBytes > 12 * mebibyte);
    assert.equal(keeper.memory.evictionPrice(performance.now()), Infinity);
    keeper.memory.limitBytes = keeper.memory.queuedBytes;
    assert.equal((await loading).state.kind, 'ready');
  });

  test('makes room for a load that was ahead of any request as soon as requests are held for it', async (t) => {
    const { keeper, engine } = keep(t, 60 * mebibyte);
    const old = await keeper.load(engine.add('old', { bytes: 24 * mebibyte }));
    const answered = use(keeper, old);
    await until('its answer', () => answered.outcome() !== undefined);
    const loading = keeper.load({ ...engine.add('new', { bytes: 24 * mebibyte }), wanted: false });
    await until('it waits', () => keeper.loadsQueued === 1);
    await turns(20);
    assert.deepEqual(phasesOf(keeper), ['old ready', 'new queued']);
    const [, held] = [...keeper.copies];
    keeper.noteHeld(held!.id, {}, 1);
    assert.equal((await loading).state.kind, 'ready');
    assert.equal(old.state.kind, 'gone');
  });

  test('makes room for a load that was ahead of any request when another router wants it', async (t) => {
    const { keeper, engine } = keep(t, 60 * mebibyte);
    const old = await keeper.load(engine.add('old', { bytes: 24 * mebibyte }));
    const answered = use(keeper, old);
    await until('its answer', () => answered.outcome() !== undefined);
    const spec = engine.add('new', { bytes: 24 * mebibyte });
    const ahead = keeper.load({ ...spec, wanted: false });
    await until('it waits', () => keeper.loadsQueued === 1);
    assert.equal(await keeper.load(spec), await ahead);
    assert.equal(old.state.kind, 'gone');
  });

  test('starts a load that requests are held for before others that nobody waits for', async (t) => {
    const { keeper, engine } = keep(t, 1_000 * mebibyte, 1);
    const gate = Promise.withResolvers<void>();
    const loads = [keeper.load(engine.add('first', { bytes: mebibyte, gate: gate.promise }))];
    await until('the first', () => engine.begun.length === 1);
    for (const name of ['ahead', 'asked']) {
      loads.push(keeper.load({ ...engine.add(name, { bytes: mebibyte }), wanted: false }));
    }
    const asked = [...keeper.copies].find(({ spec }) => spec.model === 'asked')!;
    keeper.noteHeld(asked.id, {}, 2); // not even queued yet
    await until('both wait', () => keeper.loadsQueued === 2);
    gate.resolve();
    await Promise.all(loads);
    assert.deepEqual(engine.begun, ['first', 'asked', 'ahead']);
  });

  test('lets a load wait while all that could go is in use, and goes on when it is not', async (t) => {
    const { keeper, engine } = keep(t, 30 * mebibyte);
    const first = await keeper.load(engine.add('a', { bytes: 12 * mebibyte, isSlow: true }));
    const request = use(keeper, first);
    const second = keeper.load(engine.add('b', { bytes: 12 * mebibyte }));
    await until('the queue', () => keeper.loadsQueued === 1);
    await turns(10);
    assert.deepEqual([engine.begun, first.state.kind], [['a'], 'ready']);
    engine.modelOf('a').runs[0]!.finish();
    await second;
    assert.deepEqual([request.outcome()?.kind, phasesOf(keeper)], ['answer', ['b ready']]);
  });

  test('tells a load that waited in vain that there is no room, and keeps what is in use', async (t) => {
    const { keeper, engine } = keep(t, 30 * mebibyte);
    const first = await keeper.load(engine.add('a', { bytes: 12 * mebibyte, isSlow: true }));
    use(keeper, first);
    const second = keeper.load(engine.add('b', { bytes: 12 * mebibyte }));
    second.catch(() => {});
    await until('the queue', () => keeper.loadsQueued === 1);
    await turns(10);
    pass(10_000);
    await assert.rejects(second, { code: 'no_room', message: /in use by running requests/ });
    assert.deepEqual([engine.begun, phasesOf(keeper)], [['a'], ['a ready', 'b failed']]);
    engine.modelOf('a').runs[0]!.finish();
  });

  test('refuses a model that is larger than the whole budget at once, and evicts nothing for it', async (t) => {
    const { keeper, engine } = keep(t, 30 * mebibyte);
    const first = await keeper.load(engine.add('a', { bytes: mebibyte }));
    use(keeper, first);
    await turns();
    await assert.rejects(keeper.load(engine.add('b', { bytes: 40 * mebibyte })), {
      code: 'model_too_large',
      message: /whole budget/,
    });
    assert.equal(first.state.kind, 'ready');
  });

  test('makes room for a model that holds more than was expected of it', async (t) => {
    const { keeper, engine } = keep(t, 40 * mebibyte);
    const first = await keeper.load(engine.add('a', { bytes: 15 * mebibyte }));
    use(keeper, first);
    await turns();
    await keeper.load(engine.add('b', { bytes: mebibyte, residentBytes: 35 * mebibyte }));
    assert.deepEqual(phasesOf(keeper), ['b ready']);
    assert.ok(keeper.memory.usedBytes <= 40 * mebibyte && engine.heldBytes <= 40 * mebibyte);
  });

  test('frees a model that holds more than expected where nothing else can go, and expects as much the next time', async (t) => {
    const { keeper, engine } = keep(t, 40 * mebibyte);
    const first = await keeper.load(engine.add('a', { bytes: 15 * mebibyte, isSlow: true }));
    use(keeper, first);
    await turns();
    await assert.rejects(keeper.load(engine.add('b', { bytes: mebibyte, residentBytes: 35 * mebibyte })), {
      code: 'no_room',
    });
    assert.deepEqual([phasesOf(keeper), engine.heldBytes], [['a ready', 'b failed'], 15 * mebibyte]);
    const again = keeper.load(engine.add('b', { bytes: mebibyte, residentBytes: 35 * mebibyte }));
    await until('the queue', () => keeper.loadsQueued === 1);
    await turns(10);
    assert.deepEqual(engine.begun, ['a', 'b']);
    engine.modelOf('a').runs[0]!.finish();
    await again;
    assert.deepEqual([engine.begun, engine.heldBytes], [['a', 'b', 'b'], 35 * mebibyte]);
  });

  test('never evicts a pinned copy', async (t) => {
    const { keeper, engine } = keep(t, 30 * mebibyte);
    const pinned = await keeper.load({ ...engine.add('a', { bytes: 12 * mebibyte }), pinned: true });
    use(keeper, pinned);
    await turns();
    const second = keeper.load(engine.add('b', { bytes: 12 * mebibyte }));
    second.catch(() => {});
    await until('the queue', () => keeper.loadsQueued === 1);
    pass(10_000);
    await assert.rejects(second, { code: 'no_room' });
    assert.equal(pinned.state.kind, 'ready');
  });

  test('evicts nothing young for a load that nobody waits for, and loads what a request waits for before it', async (t) => {
    const { keeper, engine } = keep(t, 30 * mebibyte);
    const first = await keeper.load(engine.add('a', { bytes: 12 * mebibyte }));
    await until(
      'an answer',
      (
        (request) => () =>
          request.outcome() !== undefined
      )(use(keeper, first)),
    );
    const ahead = keeper.load({ ...engine.add('b', { bytes: 12 * mebibyte }), wanted: false });
    ahead.catch(() => {});
    await until('the queue', () => keeper.loadsQueued === 1);
    await turns(10);
    assert.deepEqual([first.state.kind, engine.begun], ['ready', ['a']]);
    await keeper.load(engine.add('c', { bytes: 12 * mebibyte }));
    assert.deepEqual(engine.begun, ['a', 'c']);
    pass(10_000);
    await assert.rejects(ahead, { code: 'no_room' });
  });

  test('frees a copy that is unloaded while it loads as soon as it is there', async (t) => {
    const { keeper, engine } = keep(t, 30 * mebibyte);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const load = keeper.load(engine.add('a', { bytes: mebibyte, gate }));
    await until('the load', () => engine.loading === 1);
    const unload = keeper.unload([...keeper.copies][0]!.id);
    open();
    await Promise.all([load, unload]);
    assert.deepEqual([phasesOf(keeper), engine.heldBytes], [[], 0]);
  });

  test('ends every unload of a copy when it is gone, not before', async (t) => {
    const { keeper, engine } = keep(t, 30 * mebibyte);
    const held = await keeper.load(engine.add('a', { bytes: mebibyte, isSlow: true }));
    use(keeper, held);
    await turns();
    let ended = 0;
    const unloads = [1, 2].map(() =>
      keeper.unload(held.id).then(() => {
        ended += 1;
      }),
    );
    await turns(10);
    assert.deepEqual([ended, held.state.kind, keeper.ready(held.id)], [0, 'draining', undefined]);
    engine.modelOf('a').runs[0]!.finish();
    await Promise.all(unloads);
    assert.deepEqual([ended, engine.heldBytes, phasesOf(keeper)], [2, 0, []]);
  });

  test('loads a model anew while its copy leaves', async (t) => {
    const { keeper, engine } = keep(t, 30 * mebibyte);
    const spec = engine.add('a', { bytes: mebibyte, isSlow: true });
    const first = await keeper.load(spec);
    use(keeper, first);
    await turns();
    const unload = keeper.unload(first.id);
    await turns();
    const second = await keeper.load(spec);
    assert.notEqual(second.id, first.id);
    assert.deepEqual(phasesOf(keeper), ['a draining', 'a ready']);
    engine.loaded[0]!.model.runs[0]!.finish();
    await unload;
  });

  test('refuses loads that wait when everything is unloaded, in words that allow another try', async (t) => {
    const { keeper, engine } = keep(t, 30 * mebibyte);
    const first = await keeper.load(engine.add('a', { bytes: 12 * mebibyte, isSlow: true }));
    use(keeper, first);
    const waiting = [false, true].map((wanted, i) =>
      keeper.load({ ...engine.add(`w${i}`, { bytes: 12 * mebibyte }), wanted }),
    );
    for (const one of waiting) one.catch(() => {});
    await until('the queue', () => keeper.loadsQueued === 2);
    const drained = keeper.unloadAll();
    for (const one of waiting) {
      await assert.rejects(one, (fault: SkeinError) => fault.code === 'backend_draining' && fault.mayRetry);
    }
    await assert.rejects(keeper.load(engine.add('late', { bytes: mebibyte })), { code: 'backend_draining' });
    engine.modelOf('a').runs[0]!.finish();
    await drained;
    assert.deepEqual([engine.begun, engine.heldBytes], [['a'], 0]);
  });

  test('goes on admitting loads when a model cannot be freed', async (t) => {
    const { keeper, engine, traces } = keep(t, 30 * mebibyte);
    const first = await keeper.load(engine.add('a', { bytes: 12 * mebibyte }));
    await until(
      'an answer',
      (
        (request) => () =>
          request.outcome() !== undefined
      )(use(keeper, first)),
    );
    engine.modelOf('a').unload = () => Promise.reject(new Error('the runtime says no'));
    await keeper.load(engine.add('b', { bytes: 12 * mebibyte }));
    assert.ok(traces.includes('model could not be freed'));
    assert.deepEqual(phasesOf(keeper), ['b ready']);
  });

  test('runs the warm-up samples before a copy is ready, and frees a model that cannot run them', async (t) => {
    const { keeper, engine } = keep(t, 30 * mebibyte);
    const config = `max_batch_size: 4
model_warmup { name: "zeros" batch_size: 2 count: 3 inputs [
  { key: "x" value: { data_type: TYPE_FP32 dims: [ 2 ] zero_data: true } },
  { key: "name" value: { data_type: TYPE_STRING dims: [ 1 ] zero_data: true } } ] }
`;
    await keeper.load(engine.add('a', { bytes: mebibyte, config }));
    const { runs } = engine.modelOf('a');
    assert.equal(runs.length, 3);
    assert.deepEqual(
      runs[0]!.inputs.map(({ name, shape, byteLength }) => [name, shape, byteLength]),
      [
        ['x', [2, 2], 16],
        ['name', [2, 1], 8],
      ],
    );
    const compute = () => {
      throw new SkeinError('run_failed', { reason: 'no zeros' });
    };
    await assert.rejects(keeper.load(engine.add('b', { bytes: mebibyte, config, compute })), {
      code: 'load_failed',
      message: /warm-up sample 'zeros' failed: no zeros/,
    });
    assert.equal(engine.modelOf('b').unloads, 1);
    assert.deepEqual(phasesOf(keeper), ['a ready', 'b failed']);
  });
});
