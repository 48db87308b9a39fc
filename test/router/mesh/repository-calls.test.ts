import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { RepositoryModel } from '../../../src/fleet/repository/repository-model.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { OverrideStore } from '../../../src/router/mesh/override-store.ts';
import { noSiblings } from '../../../src/router/mesh/router-siblings.ts';
import { until } from '../../adapters/until.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { ask, model, startMesh, type TestMesh } from './test-mesh.ts';

type Owner = { after(hook: () => void): void };

async function started(t: Owner) {
  const root = temporaryDirectory(t);
  const test = startMesh(t, { overrides: new OverrideStore(root) });
  const b1 = test.backend('b1');
  await test.connected();
  return { ...test, b1, root };
}

/** Two routers of one port: a call to either is taken by the first, and both go by it. */
async function twoRouters(t: Owner) {
  const leader = startMesh(t, {
    overrides: new OverrideStore(temporaryDirectory(t)),
    siblings: {
      ...noSiblings,
      announce: (service) => Promise.resolve(follower.mesh.repository.follow(structuredClone(service))),
    },
  });
  const follower: TestMesh = startMesh(t, { siblings: { ...noSiblings, leader: leader.mesh } });
  const [b1, b2] = [leader.backend('b1'), follower.backend('b2')];
  await leader.connected();
  await follower.connected();
  const put = (one: RepositoryModel) => {
    leader.put(one);
    follower.put(one);
  };
  return { leader: leader.mesh, follower: follower.mesh, b1, b2, put };
}

const files = (text: string) => new Map([['1/model.onnx', Buffer.from(text)]]);

describe('RepositoryCalls', () => {
  test('loads every version that is served, once, and again only what has changed', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a', 's', [1, 2]));
    await mesh.load('a', undefined);
    await mesh.load('a', undefined);
    assert.deepEqual(
      b1.loads.map(({ version, wanted }) => [version, wanted]),
      [
        [1, true],
        [2, true],
      ],
    );
    await assert.rejects(mesh.load('nobody', undefined), { code: 'load_unknown' });
  });

  test('looks at the repository first', async (t) => {
    const test = startMesh(t, { lookFor: (name) => Promise.resolve(test.put(model(name))) });
    test.backend('b1');
    await test.connected();
    await test.mesh.load('new', undefined);
    assert.equal(test.mesh.isModelReady('new', undefined), true);
  });

  test('tells why a load failed, and tries at once when it is asked again', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a'));
    b1.onLoad = () => Promise.reject(new SkeinError('load_failed', { model: 'a', version: 1, reason: 'broken' }));
    for (let n = 1; n <= 2; n++) {
      await assert.rejects(mesh.load('a', undefined), { code: 'load_failed' });
      assert.equal(b1.loads.length, n);
    }
    await assert.rejects(mesh.describe('a', undefined), { code: 'model_failed' });
    put({ ...model('bad'), problem: 'its configuration is wrong' });
    await assert.rejects(mesh.load('bad', undefined), { code: 'load_failed', message: /its configuration is wrong/ });
    assert.equal(await ask(mesh, 'bad').over(), 'model_failed');
  });

  test('unloads every copy, and serves the model no more until it is loaded again', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a', 's', [1, 2]));
    await mesh.load('a', undefined);
    await mesh.unload('a');
    assert.deepEqual(
      [b1.copies.size, ask(mesh, 'a').outcome, mesh.isModelReady('a', undefined)],
      [0, 'model_unavailable', false],
    );
    assert.deepEqual(
      mesh.index().map(({ state, reason }) => [state, reason]),
      [
        ['UNAVAILABLE', 'unloaded'],
        ['UNAVAILABLE', 'unloaded'],
      ],
    );
    put(model('a', 's3', [1, 2])); // changed files do not bring it back
    assert.equal(ask(mesh, 'a').outcome, 'model_unavailable');
    await mesh.load('a', undefined);
    assert.equal(await ask(mesh, 'a').over(), 'a s3v2 on b1');
    await mesh.unload('nobody');
  });

  test('unloads a model that is being loaded when it is there, and the requests that wait are still answered', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a'));
    const { promise, resolve } = Promise.withResolvers<void>();
    b1.onLoad = () => promise;
    b1.onUnload = () => until('the answer', () => waiting.isOver);
    const waiting = ask(mesh, 'a');
    await until('the load', () => b1.loads.length === 1);
    const unloaded = mesh.unload('a');
    assert.equal(ask(mesh, 'a').outcome, 'model_unavailable');
    resolve();
    assert.equal(await waiting.over(), 'a s1v1 on b1');
    await unloaded;
    assert.equal(b1.copies.size, 0);
  });

  test('loads again what is on its way out, however little its backend has said of that', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a'));
    await mesh.load('a', undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    b1.onUnload = () => {
      b1.loseCopy('a');
      return promise;
    };
    const unloaded = mesh.unload('a');
    await until('the unload', () => b1.unloads.length === 1);
    await mesh.load('a', undefined);
    assert.deepEqual(b1.ready, ['a s1v1']);
    resolve();
    await unloaded;
    b1.onUnload = () => b1.loseCopy('a');
    await mesh.unload('a');
    await mesh.load('a', undefined);
    assert.deepEqual([b1.loads.length, b1.ready], [3, ['a s1v1']]);
  });

  test('goes on with a copy that its backend could not unload', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a'));
    await mesh.load('a', undefined);
    b1.onUnload = () => Promise.reject(new SkeinError('foreign_failed', { text: 'no' }));
    await assert.rejects(mesh.unload('a'), { code: 'foreign_failed' });
    await mesh.load('a', undefined);
    assert.deepEqual([b1.loads.length, await ask(mesh, 'a').over()], [1, 'a s1v1 on b1']);
  });

  test('takes the loss of a backend for an unload, and passes on other faults', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a'));
    await mesh.load('a', undefined);
    b1.onUnload = () => {
      b1.die();
      return new Promise(() => {});
    };
    await mesh.unload('a');
    b1.isDown = false;
    await until('its return', () => b1.isConnected);
    await mesh.load('a', undefined);
    b1.onUnload = () => Promise.reject(new SkeinError('foreign_failed', { text: 'no' }));
    await assert.rejects(mesh.unload('a'), { code: 'foreign_failed' });
  });

  test('serves files of the caller in place of those of the repository, until it is loaded without', async (t) => {
    const { mesh, b1, put, root } = await started(t);
    put(model('a'));
    await mesh.load('a', { config: '{"max_batch_size": 2}', files: files('mine') });
    const [spec] = b1.loads;
    assert.equal(spec!.configOverride, '{"max_batch_size": 2}');
    assert.equal(readFileSync(join(spec!.directory, '1', 'model.onnx'), 'utf8'), 'mine');
    assert.notEqual(await ask(mesh, 'a').over(), 'a s1v1 on b1');
    await mesh.load('a', undefined);
    assert.equal(await ask(mesh, 'a').over(), 'a s1v1 on b1');
    assert.deepEqual([b1.ready, readdirSync(root)], [['a s1v1'], []]);
  });

  test('serves another configuration of the same files, as another copy', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a'));
    await mesh.load('a', undefined);
    await mesh.load('a', { config: '{"max_batch_size": 2}', files: new Map() });
    assert.equal(b1.loads.at(-1)!.directory, '/models/a');
    assert.deepEqual(b1.ready, ['a s1v1+{"max_batch_size": 2}']);
  });

  test('knows a model that came in a load call alone until it is loaded without files', async (t) => {
    const { mesh, b1, root } = await started(t);
    await mesh.load('mine', { config: '{}', files: files('mine') });
    assert.match(await ask(mesh, 'mine').over(), /^mine .* on b1$/);
    await assert.rejects(mesh.load('mine', undefined), { code: 'load_unknown' });
    assert.equal(ask(mesh, 'mine').outcome, 'model_unknown');
    await until('its end', () => b1.copies.size === 0);
    assert.deepEqual([mesh.index(), readdirSync(root)], [[], []]);
  });

  test('puts files of a later call in the place of earlier ones, and keeps nothing of those', async (t) => {
    const { mesh, b1, root } = await started(t);
    await mesh.load('mine', { config: '{}', files: files('first') });
    await mesh.load('mine', { config: '{}', files: files('second') });
    assert.equal(readFileSync(join(b1.loads.at(-1)!.directory, '1', 'model.onnx'), 'utf8'), 'second');
    assert.equal(readdirSync(root).length, 1);
    await assert.rejects(mesh.load('mine', undefined), { code: 'load_unknown' });
    assert.deepEqual([mesh.repository.services(), readdirSync(root)], [[], []]);
  });

  test('goes on as before where a configuration does not load', async (t) => {
    const { mesh, b1, put } = await started(t);
    put(model('a'));
    await mesh.load('a', undefined);
    b1.onLoad = () => Promise.reject(new SkeinError('config_mismatch', { reason: 'no such input' }));
    await assert.rejects(mesh.load('a', { config: '{"input": []}', files: new Map() }), { code: 'config_mismatch' });
    assert.equal(await ask(mesh, 'a').over(), 'a s1v1 on b1');
    b1.onLoad = () => {};
    b1.die();
    b1.isDown = false;
    await until('its return', () => b1.isConnected);
    assert.equal(await ask(mesh, 'a').over(), 'a s1v1 on b1');
    assert.deepEqual([b1.loads.at(-1)!.configOverride, mesh.repository.services()], [undefined, []]);
  });

  test('goes back to earlier files where later ones do not load', async (t) => {
    const { mesh, b1, root } = await started(t);
    await mesh.load('mine', { config: '{}', files: files('first') });
    b1.onLoad = () => Promise.reject(new SkeinError('config_mismatch', { reason: 'no such input' }));
    await assert.rejects(mesh.load('mine', { config: '{"a":1}', files: files('second') }), { code: 'config_mismatch' });
    await assert.rejects(mesh.load('other', { config: '{}', files: files('other') }), { code: 'config_mismatch' });
    b1.onLoad = () => {};
    await mesh.load('mine', { config: '{"b":1}', files: new Map() });
    const { directory, configOverride } = b1.loads.at(-1)!;
    assert.deepEqual([readFileSync(join(directory, '1', 'model.onnx'), 'utf8'), configOverride], ['first', '{"b":1}']);
    assert.equal(ask(mesh, 'other').outcome, 'model_unknown');
    assert.equal(readdirSync(root).length, 1);
  });

  for (const [what, name, bytes] of [
    ['leads out of its directory', '../../escape/model.onnx', 'load_parameter'],
    ['lies in no version', 'model.onnx', 'load_parameter'],
  ] as const) {
    test(`refuses a file that ${what}, and knows nothing of its model`, async (t) => {
      const { mesh, root } = await started(t);
      const override = { config: '{}', files: new Map([[name, Buffer.from('x')]]) };
      await assert.rejects(mesh.load('mine', override), { code: bytes });
      assert.deepEqual([mesh.index(), ask(mesh, 'mine').outcome], [[], 'model_unknown']);
      assert.deepEqual([existsSync(join(root, '..', 'escape')), readdirSync(root)], [false, []]);
    });
  }

  test('refuses a configuration for a model that is nowhere', async (t) => {
    const { mesh } = await started(t);
    await assert.rejects(mesh.load('nobody', { config: '{}', files: new Map() }), { code: 'load_unknown' });
    assert.deepEqual(mesh.index(), []);
  });

  test('a router that follows another takes models out of service and back into it with that one', async (t) => {
    const { leader, follower, b2, put } = await twoRouters(t);
    put(model('a'));
    assert.equal(await ask(follower, 'a').over(), 'a s1v1 on b2');
    await follower.unload('a');
    assert.deepEqual([ask(leader, 'a').outcome, ask(follower, 'a').outcome], Array(2).fill('model_unavailable'));
    await until('its own copies gone', () => b2.copies.size === 0);
    await follower.load('a', undefined);
    assert.deepEqual(
      [await ask(leader, 'a').over(), await ask(follower, 'a').over()],
      ['a s1v1 on b1', 'a s1v1 on b2'],
    );
    await assert.rejects(follower.load('nobody', undefined), { code: 'load_unknown' });
  });

  test('a router that follows another serves the files that came in a call to that one, and no longer than that', async (t) => {
    const { leader, follower, b1, b2, put } = await twoRouters(t);
    put(model('a'));
    const text = await ask(follower, 'a').over();
    await follower.load('a', { config: '{"max_batch_size": 2}', files: files('mine') });
    await follower.load('mine', { config: '{}', files: files('mine') });
    await until('the new files', () => b2.ready.join() === b1.ready.filter((copy) => copy.startsWith('a ')).join());
    assert.equal(await ask(follower, 'a').over(), `${b1.ready.find((copy) => copy.startsWith('a '))} on b2`);
    assert.match(await ask(follower, 'mine').over(), /^mine .* on b2$/);
    await follower.load('a', undefined);
    await assert.rejects(follower.load('mine', undefined), { code: 'load_unknown' });
    await until('the old files', () => b2.ready.join() === 'a s1v1');
    assert.deepEqual([await ask(follower, 'a').over(), ask(follower, 'mine').outcome], [text, 'model_unknown']);
    assert.deepEqual(leader.repository.services(), []);
  });

  test('tells a router that comes later what calls have changed', async (t) => {
    const { mesh, put } = await started(t);
    for (const name of ['gone', 'kept', 'tuned']) put(model(name));
    await mesh.unload('gone');
    await mesh.load('kept', undefined);
    await mesh.load('tuned', { config: '{"max_batch_size": 2}', files: new Map() });
    await mesh.load('mine', { config: '', files: files('mine') });
    assert.deepEqual(
      mesh.repository.services().map(({ model, isUnloaded, configOverride }) => [model, isUnloaded, configOverride]),
      [
        ['gone', true, undefined],
        ['mine', false, ''],
        ['tuned', false, '{"max_batch_size": 2}'],
      ],
    );
  });
});
