import assert from 'node:assert/strict';
import { afterEach, describe, mock, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { until } from '../../adapters/until.ts';
import { ask, model, startMesh } from './test-mesh.ts';

/** As if so much time had passed. */
function pass(ms: number): void {
  const now = performance.now.bind(performance);
  mock.method(performance, 'now', () => now() + ms);
}

afterEach(() => mock.restoreAll());

/** Loads that wait until they are let go. */
function gated() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { onLoad: () => promise, open: resolve, fail: reject };
}

const noRoom = () => new SkeinError('no_room', { model: 'a', neededBytes: 1, detail: 'full' });
const broken = (reason: string) => new SkeinError('load_failed', { model: 'a', version: 1, reason });

describe('ColdStarts', () => {
  test('loads a model once for all requests that wait for it, and answers each of them', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    const { onLoad, open } = gated();
    b1.onLoad = onLoad;
    put(model('a'));
    const answers = Array.from({ length: 20 }, () => ask(mesh, 'a'));
    await until('the load', () => b1.loads.length === 1);
    assert.deepEqual([mesh.report().held, mesh.report().models.loading], [20, 1]);
    open();
    for (const answer of answers) assert.equal(await answer.over(), 'a s1v1 on b1');
    assert.deepEqual([b1.loads.length, mesh.report().held, mesh.report().inFlight], [1, 0, 0]);
    assert.equal(await ask(mesh, 'a').over(), 'a s1v1 on b1');
    assert.equal(b1.loads.length, 1);
  });

  test('loads every version that is asked for by itself', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    put(model('a', 's', [1, 3]));
    assert.equal(await ask(mesh, 'a').over(), 'a sv3 on b1');
    assert.equal(await ask(mesh, 'a', { version: 1 }).over(), 'a sv1 on b1');
    assert.equal(await ask(mesh, 'a', { version: 2 }).over(), 'version_unknown');
    assert.equal(await ask(mesh, 'b').over(), 'model_unknown');
    assert.equal(b1.loads.length, 2);
  });

  test('holds no more requests than the bounds allow, for one model and for all, and says when to come again', async (t) => {
    const hold = { maxPerModel: 2, maxTotal: 3, maxHoldMs: 20_000 };
    const { mesh, backend, put, connected } = startMesh(t, { hold });
    const b1 = backend('b1');
    await connected();
    const { onLoad, open } = gated();
    b1.onLoad = onLoad;
    put(model('a'), model('b'));
    const held = [ask(mesh, 'a'), ask(mesh, 'a')];
    const third = ask(mesh, 'a');
    assert.equal(third.error?.code, 'hold_full');
    assert.ok(Number(third.error?.facts['retryAfterSeconds']) >= 1);
    held.push(ask(mesh, 'b'));
    assert.equal(ask(mesh, 'b').outcome, 'hold_full');
    open();
    for (const answer of held) assert.match(await answer.over(), / on b1$/);
    assert.equal(mesh.report().held, 0);
  });

  test('says when to come again as the backend expects it, which knows what is loaded first', async (t) => {
    const hold = { maxPerModel: 1, maxTotal: 3, maxHoldMs: 60_000 };
    const { mesh, backend, put, connected } = startMesh(t, { hold });
    const b1 = backend('b1');
    b1.readyInMs = 12_300;
    await connected();
    const { onLoad, open } = gated();
    b1.onLoad = onLoad;
    put(model('a'));
    const held = ask(mesh, 'a');
    await until('the load', () => b1.loads.length === 1);
    const second = ask(mesh, 'a');
    assert.deepEqual([second.error?.code, second.error?.facts['retryAfterSeconds']], ['hold_full', 13]);
    open();
    assert.equal(await held.over(), 'a s1v1 on b1');
  });

  test('refuses a request at once that cannot wait so long, with the time that the load takes, and loads all the same', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    b1.loadMs = 7_400;
    await connected();
    put(model('a'));
    assert.equal(await ask(mesh, 'a').over(), 'a s1v1 on b1');
    b1.dropCopy('a');
    const hurried = ask(mesh, 'a', { timeoutMs: 1_000 });
    assert.equal(hurried.error?.code, 'model_loading');
    const { seconds, retryAfterSeconds } = hurried.error!.facts;
    assert.deepEqual([seconds, retryAfterSeconds], [8, 8]);
    await until('the load', () => b1.ready.length === 1);
    assert.equal(await ask(mesh, 'a', { timeoutMs: 1_000 }).over(), 'a s1v1 on b1');
  });

  test('tells a request that was held too long so, and the load goes on', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t, { hold: { maxPerModel: 9, maxTotal: 9, maxHoldMs: 150 } });
    const b1 = backend('b1');
    b1.loadMs = 1;
    await connected();
    put(model('a'));
    await mesh.load('a', undefined); // from now on it is known to load in a moment
    b1.dropCopy('a');
    const { onLoad, open } = gated();
    b1.onLoad = onLoad;
    const answer = ask(mesh, 'a');
    assert.equal(await answer.over(), 'model_loading');
    assert.equal(mesh.report().held, 0);
    open();
    await until('the load', () => b1.ready.length === 1);
  });

  test('lets go of a request whose client leaves, and tells it nothing', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    const { onLoad, open } = gated();
    b1.onLoad = onLoad;
    put(model('a'));
    const [first, second] = [ask(mesh, 'a'), ask(mesh, 'a')];
    first.cancel();
    assert.equal(mesh.report().held, 1);
    open();
    assert.equal(await second.over(), 'a s1v1 on b1');
    assert.equal(b1.infers.length, 1);
  });

  test('lets go of a request whose client leaves though the files have changed since it began to wait', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    const { onLoad, open } = gated();
    b1.onLoad = onLoad;
    put(model('a'));
    const [first, second] = [ask(mesh, 'a'), ask(mesh, 'a')];
    await until('the load', () => b1.loads.length === 1);
    put(model('a', 's2'));
    first.cancel();
    assert.equal(mesh.report().held, 1);
    open();
    assert.match(await second.over(), /^a s/);
    await until('rest', () => mesh.report().models.loading === 0);
    assert.deepEqual([mesh.report().held, mesh.report().inFlight, b1.infers.length], [0, 0, 1]);
  });

  test('remembers a load that failed, answers with it for a while, and tries again then', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    b1.onLoad = () => Promise.reject(broken('no such operator'));
    put(model('a'));
    const first = ask(mesh, 'a');
    assert.equal(await first.over(), 'model_failed');
    assert.match(first.error!.message, /no such operator/);
    assert.equal(ask(mesh, 'a').outcome, 'model_failed');
    assert.deepEqual([b1.loads.length, mesh.isModelReady('a', undefined)], [1, false]);
    pass(1_100);
    assert.equal(await ask(mesh, 'a').over(), 'model_failed');
    assert.equal(b1.loads.length, 2);
    pass(1_100);
    assert.equal(ask(mesh, 'a').outcome, 'model_failed');
    assert.equal(b1.loads.length, 2, 'tried again though the time doubles');
    pass(1_100);
    b1.onLoad = () => {};
    assert.equal(await ask(mesh, 'a').over(), 'a s1v1 on b1');
    b1.dropCopy('a');
    assert.deepEqual(
      [mesh.isModelReady('a', undefined), mesh.explain('a').report.state],
      [true, 'idle'],
      'a failure outlived a load that succeeded',
    );
  });

  test('tries files at once that have changed, whatever the earlier ones did', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    const { onLoad, fail } = gated();
    b1.onLoad = ({ stamp }) => (stamp === 's1v1' ? onLoad() : undefined);
    put(model('a'));
    const first = ask(mesh, 'a');
    await until('the load', () => b1.loads.length === 1);
    put(model('a', 's2')); // while the old files still load
    fail(broken('old files'));
    assert.equal(await first.over(), 'model_failed');
    assert.equal(await ask(mesh, 'a').over(), 'a s2v1 on b1');
  });

  test('serves other versions of a model one version of which does not load', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    b1.onLoad = ({ version }) => (version === 2 ? Promise.reject(broken('version 2')) : undefined);
    put(model('a', 's', [1, 2]));
    assert.equal(await ask(mesh, 'a').over(), 'model_failed');
    assert.equal(await ask(mesh, 'a', { version: 1 }).over(), 'a sv1 on b1');
    const rows = mesh.index().map(({ version, state, reason }) => [version, state, reason.replace(/.*: /, '')]);
    assert.deepEqual(rows, [
      [1, 'READY', ''],
      [2, 'UNAVAILABLE', 'version 2'],
    ]);
  });

  test('loads the newest version again for who names none, though an older one is in memory', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    put(model('a', 's', [1, 2]));
    await mesh.load('a', undefined);
    const newest = [...b1.copies.values()].find(({ version }) => version === 2)!;
    await b1.unload(newest); // evicted
    assert.equal(await ask(mesh, 'a', { version: 1 }).over(), 'a sv1 on b1');
    assert.equal(await ask(mesh, 'a').over(), 'a sv2 on b1');
  });

  test('serves an older version while the newest does not load, and the newest as soon as it does', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    put(model('a', 's', [1]));
    await ask(mesh, 'a').over();
    b1.onLoad = () => Promise.reject(broken('version 2'));
    put(model('a', 's', [1, 2]));
    await until('the load', () => b1.loads.length === 2);
    for (let i = 0; i < 5; i++) assert.equal(await ask(mesh, 'a').over(), 'a sv1 on b1');
    assert.equal(b1.loads.length, 2, 'tried again with every request');
    assert.equal(await ask(mesh, 'a', { version: 2 }).over(), 'model_failed');
    b1.onLoad = () => {};
    pass(1_100);
    assert.equal(await ask(mesh, 'a').over(), 'a sv1 on b1', 'a request waited for the newest');
    await until('the newest', () => b1.ready.includes('a sv2'));
    assert.equal(await ask(mesh, 'a').over(), 'a sv2 on b1');
  });

  test('asks another backend where one has no room', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const backends = [backend('b1'), backend('b2')];
    await connected();
    put(model('a'));
    for (const one of backends) one.onLoad = () => (total() === 1 ? Promise.reject(noRoom()) : undefined);
    const total = () => backends.reduce((sum, { loads }) => sum + loads.length, 0);
    assert.match(await ask(mesh, 'a').over(), /^a s1v1 on b/);
    assert.deepEqual(
      backends.map(({ loads }) => loads.length),
      [1, 1],
    );
  });

  test('keeps asking while no backend has room, and goes on when one has', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    b1.onLoad = () => (b1.loads.length < 4 ? Promise.reject(noRoom()) : undefined);
    put(model('a'));
    assert.equal(await ask(mesh, 'a').over(), 'a s1v1 on b1');
    assert.equal(b1.loads.length, 4);
  });

  test('refuses a model at once that is too large for every backend, and says so', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const backends = [backend('b1'), backend('b2')];
    await connected();
    const facts = { model: 'a', neededBytes: 9, budgetBytes: 4 };
    for (const one of backends) one.onLoad = () => Promise.reject(new SkeinError('model_too_large', facts));
    put(model('a'));
    assert.equal(await ask(mesh, 'a').over(), 'model_too_large');
    assert.equal(await ask(mesh, 'a').over(), 'model_too_large');
    assert.deepEqual(
      backends.map(({ loads }) => loads.length),
      [1, 1],
    );
    assert.equal(mesh.report().models.failed, 1);
  });

  test('asks less and less often where disks are full, gives up, and tells every request why', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    b1.onLoad = () => Promise.reject(new SkeinError('source_disk', { reason: 'ENOSPC' }));
    put(model('a'));
    const answer = ask(mesh, 'a');
    await until('asked again', () => b1.loads.length === 2);
    pass(10_000);
    assert.equal(await answer.over(), 'source_disk');
    assert.ok(b1.loads.length <= 3, `${b1.loads.length} loads`);
  });

  test('ends a load call that finds no room with that, and keeps nothing of it', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    b1.onLoad = () => Promise.reject(noRoom());
    put(model('a'));
    await assert.rejects(mesh.load('a', undefined), { code: 'no_room' });
    await until('rest', () => mesh.report().models.loading === 0);
  });

  test('loads elsewhere where the backend that loads falls silent', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const backends = [backend('b1'), backend('b2')];
    await connected();
    put(model('a'));
    const total = () => backends.reduce((sum, { loads }) => sum + loads.length, 0);
    for (const one of backends) one.onLoad = () => (total() === 1 ? new Promise(() => {}) : undefined);
    const answer = ask(mesh, 'a');
    await until('the load', () => total() === 1);
    const silent = backends.find(({ loads }) => loads.length === 1)!;
    silent.stall(true);
    assert.match(await answer.over(), new RegExp(` on ${backends.find((one) => one !== silent)!.id}$`));
  });

  for (const end of ['loads', 'fails'] as const) {
    test(`answers those who wait from a copy that is back before another one is there, which then ${end}`, async (t) => {
      const { mesh, backend, put, connected } = startMesh(t);
      const backends = [backend('b1'), backend('b2')];
      await connected();
      put(model('a'));
      await ask(mesh, 'a').over();
      const [silent, other] = backends.toSorted((a, b) => b.loads.length - a.loads.length);
      const { onLoad, open, fail } = gated();
      other!.onLoad = onLoad;
      silent!.stall(true);
      const answer = ask(mesh, 'a');
      await until('the load', () => other!.loads.length === 1);
      silent!.stall(false);
      assert.equal(await answer.over(), `a s1v1 on ${silent!.id}`);
      if (end === 'loads') open();
      else fail(broken('not here'));
      await until('the end of the load', () => end === 'fails' || other!.ready.length === 1);
      assert.match(await ask(mesh, 'a').over(), /^a s1v1 on b/);
      assert.deepEqual([mesh.report().held, mesh.report().models.loading, mesh.report().loadTroubles], [0, 0, []]);
    });
  }

  test('holds requests that come before any backend is there', async (t) => {
    const { mesh, backend, put } = startMesh(t);
    const b1 = backend('b1');
    b1.isDown = true;
    put(model('a'));
    const answer = ask(mesh, 'a');
    assert.equal(mesh.report().held, 1);
    assert.equal(mesh.isReady(), false);
    b1.isDown = false;
    assert.equal(await answer.over(), 'a s1v1 on b1');
  });

  test('preloads models, and goes on where one does not load', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    b1.onLoad = ({ model: name }) => (name === 'm3' ? Promise.reject(broken('m3')) : undefined);
    const names = Array.from({ length: 9 }, (_, i) => `m${i}`);
    put(...names.map((name) => model(name)));
    await mesh.preload([...names, 'unknown']);
    assert.equal(b1.ready.length, 8);
    assert.ok(b1.loads.every(({ wanted }) => !wanted));
  });
});
