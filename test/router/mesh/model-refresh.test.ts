import assert from 'node:assert/strict';
import { afterEach, describe, mock, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { until } from '../../adapters/until.ts';
import { type Answer, ask, model, startMesh } from './test-mesh.ts';

type Owner = { after(hook: () => void): void };

afterEach(() => mock.timers.reset());

async function started(t: Owner) {
  const test = startMesh(t);
  const b1 = test.backend('b1');
  await test.connected();
  return { ...test, b1 };
}

/** Requests one after the other, several at once, until they are stopped. */
function traffic(send: () => Answer) {
  const outcomes: string[] = [];
  let isStopped = false;
  const client = async () => {
    while (!isStopped) {
      outcomes.push(await send().over());
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const done = Promise.all([client(), client(), client()]);
  return {
    outcomes,
    stop: async () => {
      isStopped = true;
      await done;
    },
  };
}

/** A moment in which requests go on. */
const moment = () => new Promise((resolve) => setTimeout(resolve, 15));

describe('ModelRefresh', () => {
  const changes = {
    'changed files': [model('a', 's1'), model('a', 's2')],
    'a new version': [model('a', 's', [1]), model('a', 's', [2])],
    'a new version beside the old one': [model('a', 's', [1]), model('a', 's', [1, 2])],
  } as const;
  for (const [what, [before, after]] of Object.entries(changes)) {
    test(`loads ${what} before what it replaces is unloaded, and no request fails`, async (t) => {
      const { mesh, b1, put } = await started(t);
      put(before);
      await ask(mesh, 'a').over();
      const { outcomes, stop } = traffic(() => ask(mesh, 'a'));
      const order: string[] = [];
      b1.onLoad = async ({ stamp }) => {
        await moment();
        order.push(`loaded ${stamp}`);
      };
      b1.onUnload = ({ stamp }) => void order.push(`unload ${stamp}`);
      put(after);
      const newest = `a ${after.versionStamps.at(-1)}`;
      await until('the new copy', () => b1.ready.includes(newest));
      await moment();
      await stop();
      const stays = after.versions.includes(1) && after.stamp === before.stamp;
      const old = before.versionStamps[0]!;
      assert.deepEqual(order, [`loaded ${after.versionStamps.at(-1)}`, ...(stays ? [] : [`unload ${old}`])]);
      assert.deepEqual(new Set(outcomes), new Set([`a ${old} on b1`, `${newest} on b1`]));
      assert.ok(outcomes.lastIndexOf(`a ${old} on b1`) < outcomes.lastIndexOf(`${newest} on b1`));
      assert.equal(await ask(mesh, 'a').over(), `${newest} on b1`);
    });
  }

  test('goes on serving a model that cannot be read any more, for as long as it is loaded', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a'));
    await ask(mesh, 'a').over();
    put({ ...model('a'), problem: 'its configuration is wrong' });
    await moment();
    assert.equal(await ask(mesh, 'a').over(), 'a s1v1 on b1');
    assert.deepEqual(
      [mesh.isModelReady('a', undefined), mesh.models()[0]!.reason],
      [true, 'its configuration is wrong'],
    );
    b1.dropCopy('a');
    assert.equal(await ask(mesh, 'a').over(), 'model_failed');
    assert.deepEqual([b1.loads.length, b1.unloads], [1, []]);
  });

  test('goes on serving the old files where the new ones do not load, and says so', async (t) => {
    const { mesh, b1, put, logs } = await started(t);
    put(model('a'));
    await ask(mesh, 'a').over();
    b1.onLoad = () => Promise.reject(new SkeinError('load_failed', { model: 'a', version: 1, reason: 'broken' }));
    put(model('a', 's2'));
    await until('the log', () => logs.some(({ message }) => message.startsWith('new files of a model do not load')));
    assert.equal(await ask(mesh, 'a').over(), 'a s1v1 on b1');
    assert.deepEqual([b1.loads.length, b1.unloads], [2, []]);
    b1.onLoad = () => {};
    put(model('a', 's3'));
    await until('the new copy', () => b1.ready.join() === 'a s3v1');
    assert.equal(await ask(mesh, 'a').over(), 'a s3v1 on b1');
  });

  test('tries again where there was no room for the new files', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a'));
    await ask(mesh, 'a').over();
    b1.onLoad = () => Promise.reject(new SkeinError('no_room', { model: 'a', neededBytes: 1, detail: 'full' }));
    const realTimeout = setTimeout;
    mock.timers.enable({ apis: ['setTimeout'] });
    put(model('a', 's2'));
    const later = (ms: number) => new Promise((resolve) => realTimeout(resolve, ms));
    for (let waitedMs = 0; b1.loads.length < 2 && waitedMs < 5_000; waitedMs += 5) await later(5);
    await later(150); // the load is given up
    b1.onLoad = () => {};
    mock.timers.tick(1_000);
    for (let waitedMs = 0; b1.ready.join() !== 'a s2v1' && waitedMs < 5_000; waitedMs += 5) await later(5);
    mock.timers.reset();
    assert.equal(await ask(mesh, 'a').over(), 'a s2v1 on b1');
  });

  test('ends with the newest files where they change while they are loaded', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a'));
    await ask(mesh, 'a').over();
    const { outcomes, stop } = traffic(() => ask(mesh, 'a'));
    b1.onLoad = () => moment().then(() => {});
    for (const stamp of ['s2', 's3', 's4']) {
      put(model('a', stamp));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until('the newest alone', () => b1.copies.size === 1 && b1.ready.join() === 'a s4v1');
    await stop();
    assert.ok(
      outcomes.every((text) => /^a s\dv1 on b1$/.test(text)),
      outcomes.find((text) => !text.startsWith('a ')),
    );
    assert.equal(await ask(mesh, 'a').over(), 'a s4v1 on b1');
  });

  test('unloads a model that left the repository, and knows it no more', async (t) => {
    const { mesh, b1, put, remove } = await started(t);
    put(model('a'), model('b'));
    await ask(mesh, 'a').over();
    b1.onInfer = () => {};
    const under = ask(mesh, 'a');
    await until('the request', () => b1.infers.length === 2);
    b1.onUnload = () => until('its answer', () => under.isOver);
    remove('a');
    assert.equal(ask(mesh, 'a').outcome, 'model_unknown');
    assert.deepEqual(
      mesh.index().map(({ name }) => name),
      ['b'],
    );
    b1.infers[1]!.reply();
    assert.equal(await under.over(), 'a s1v1 on b1');
    await until('its end', () => b1.copies.size === 0);
    assert.deepEqual([mesh.models().length, mesh.report().models.known], [1, 1]);
    assert.equal(ask(mesh, 'a').outcome, 'model_unknown');
    assert.throws(() => mesh.explain('a'), { code: 'model_unknown' });
  });

  test('serves a model that comes back before its old copies have left', async (t) => {
    const { mesh, b1, put, remove } = await started(t);
    put(model('a'));
    await ask(mesh, 'a').over();
    let letGo = () => {};
    b1.onUnload = () => new Promise((resolve) => (letGo = resolve));
    remove('a');
    await until('the unload', () => b1.unloads.length === 1);
    put(model('a', 's2'));
    letGo();
    assert.equal(await ask(mesh, 'a').over(), 'a s2v1 on b1');
    assert.deepEqual(
      mesh.index().map(({ name, state }) => [name, state]),
      [['a', 'READY']],
    );
  });

  test('forgets copies that a backend brings of a model that nobody offers, once they are gone', async (t) => {
    const { mesh, b1 } = await started(t);
    b1.addCopy('stray');
    assert.deepEqual([mesh.index(), ask(mesh, 'stray').outcome], [[], 'model_unknown']);
    b1.dropCopy('stray');
    assert.equal(ask(mesh, 'stray').outcome, 'model_unknown');
  });
});
