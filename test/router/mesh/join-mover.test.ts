import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import type { MeshOptions } from '../../../src/router/mesh/local-mesh.ts';
import { ownerOf } from '../../../src/router/scaling/model-owner.ts';
import { until } from '../../adapters/until.ts';
import { ask, model, startMesh } from './test-mesh.ts';

const names = Array.from({ length: 24 }, (_, at) => `m${at}`);

/** Two backends that hold 24 models, and a third that has just joined. */
async function joined(t: TestContext, options: Partial<MeshOptions> = {}) {
  const started = startMesh(t, { rebalancePerSecond: 1_000, ...options });
  const { mesh, backend, put, connected } = started;
  const settled = [backend('b1'), backend('b2')];
  await connected();
  put(...names.map((name) => model(name)));
  for (const name of names) await ask(mesh, name).over();
  const cold = mesh.report().coldRequests;
  const newcomer = backend('b3');
  await connected();
  return { ...started, settled, newcomer, cold };
}

describe('JoinMover', () => {
  test('gives a newcomer its share of the copies, each loaded there before it leaves, and then rests', async (t) => {
    const { mesh, settled, newcomer, cold } = await joined(t);
    while (newcomer.ready.length < 8 || mesh.report().backends.some(({ copies }) => copies > 8)) {
      for (const name of names) assert.match(await ask(mesh, name).over(), /on b[123]/);
    }
    const { coldRequests, copiesRebalanced, copiesAdded, movesQueued, loads } = mesh.report();
    assert.deepEqual([copiesRebalanced, copiesAdded, movesQueued], [8, 0, 0]);
    assert.equal(coldRequests, cold, 'nobody waits for a load');
    assert.equal(loads, names.length, 'of requests');
    assert.equal(
      settled.reduce((sum, { ready }) => sum + ready.length, 0),
      16,
    );
    assert.ok(
      newcomer.loads.every(({ wanted }) => !wanted),
      'it displaces nothing',
    );
  });

  test('moves copies of its own models only, and its part of the share', async (t) => {
    const all = ['router-1', 'router-2'];
    const { mesh, newcomer } = await joined(t, { routers: { self: 'router-1', all: () => all } });
    await until('moves', () => mesh.report().copiesRebalanced > 0 && mesh.report().movesQueued === 0);
    const moved = newcomer.ready.map((one) => one.split(' ')[0]!);
    assert.ok(moved.length >= 2 && moved.length <= 6, `${moved.length} of 8`);
    for (const name of moved) assert.equal(ownerOf(name, all), 'router-1');
  });

  test('keeps a copy where it is when it cannot be loaded there', async (t) => {
    const { mesh, backend, put, connected, logs } = startMesh(t, { rebalancePerSecond: 1_000 });
    backend('b1');
    await connected();
    put(...names.map((name) => model(name)));
    for (const name of names) await ask(mesh, name).over();
    const newcomer = backend('b2');
    newcomer.onLoad = ({ model: name }) => {
      throw new SkeinError('no_room', { model: name, neededBytes: 1, detail: 'full' });
    };
    await until('tried', () => logs.some(({ message }) => /could not be moved/.test(message)));
    for (const name of names) assert.match(await ask(mesh, name).over(), /on b1/);
    assert.equal(mesh.report().copiesRebalanced, 0);
  });

  test('moves nothing where it is turned off', async (t) => {
    const { mesh, newcomer } = await joined(t, { rebalancePerSecond: 0 });
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.deepEqual([newcomer.loads.length, mesh.report().movesQueued], [0, 0]);
  });
});
