import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { CatalogueEntry, ModelRecord } from '../../../src/fleet/catalogue-entry.ts';
import { FleetPicture } from '../../../src/fleet/fleet-picture.ts';
import type { BackendMember } from '../../../src/fleet/member-record.ts';
import type { FleetListener } from '../../../src/fleet/registry.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { until } from '../../adapters/until.ts';
import { MemoryRegistry } from '../../fleet/memory-registry.ts';
import { backend, modelRecord } from '../../fleet/registry.contract.ts';
import { ask, startMesh } from './test-mesh.ts';

const alone = { ttlMs: 1_000, isAlive: async () => false, onTaken: () => {} };
const named = (name: string, more: Partial<ModelRecord> = {}): ModelRecord => ({ ...modelRecord(name), ...more });

/** A mesh that goes by a registry. */
function start(t: TestContext, registry = new MemoryRegistry()) {
  const started = startMesh(t, { requestTimeoutMs: 2_000 });
  started.mesh.follow(registry);
  const join = async (id: string, more: Partial<BackendMember> = {}) => {
    const fake = started.unknown(id);
    const announced = await registry.announce({ ...backend(id), address: `fake:${id}`, labels: {}, ...more }, alone);
    await until('connected', () => stateOf(id) === 'up');
    return { fake, announced };
  };
  const stateOf = (id: string) => started.mesh.report().backends.find((one) => one.id === id)?.state;
  const put = (...entries: CatalogueEntry[]) => Promise.all(entries.map((entry) => registry.putEntry(entry)));
  return { ...started, registry, join, stateOf, put };
}

describe('FleetSync', () => {
  test('serves the models of the catalogue on the backends of the registry', async (t) => {
    const { mesh, join, put, registry } = start(t);
    const { fake } = await join('b1');
    await put(named('a'));
    assert.match(await ask(mesh, 'a').over(), /^a s1 on b1/);
    assert.equal(fake.loads[0]?.directory, 'a');
    await registry.removeEntry('a');
    assert.equal(await ask(mesh, 'a').over(), 'model_unknown');
  });

  test('tells which version each router of the registry runs', async (t) => {
    const { mesh, registry } = start(t);
    assert.deepEqual(mesh.report().routerVersions, {});
    const router = { role: 'router', id: 'r1', instance: 'i', software: '0.0.9', url: 'http://h:1' } as const;
    const announced = await registry.announce(router, alone);
    assert.deepEqual(mesh.report().routerVersions, { r1: '0.0.9' });
    await announced.withdraw();
    assert.deepEqual(mesh.report().routerVersions, {});
  });

  test('says of no model that it is unknown before the catalogue was read', async (t) => {
    const { mesh } = startMesh(t, { requestTimeoutMs: 2_000 });
    const picture = new FleetPicture();
    mesh.follow(Object.assign(new MemoryRegistry(), { watch: (one: FleetListener) => picture.watch(one) }));
    assert.equal(await ask(mesh, 'a').over(), 'registry_unreachable');
    picture.stand('connected');
    assert.equal(await ask(mesh, 'a').over(), 'model_unknown');
  });

  test('is not ready, and calls no model unknown, where backends hold models of which the registry has none', async (t) => {
    const { mesh, join } = start(t);
    const { fake } = await join('b1');
    assert.equal(mesh.isReady(), true);
    assert.equal(await ask(mesh, 'a').over(), 'model_unknown');
    fake.addCopy('a');
    assert.equal(mesh.isReady(), false);
    assert.equal(await ask(mesh, 'a').over(), 'registry_emptied');
  });

  test('goes on with a backend whose lease is lost for as long as its link holds', async (t) => {
    const { mesh, join, put, stateOf, logs } = start(t);
    const { fake, announced } = await join('b1');
    await put(named('a'));
    await announced.withdraw();
    assert.match(await ask(mesh, 'a').over(), /^a s1 on b1/);
    assert.ok(logs.some(({ message }) => /goes on by its link/.test(message)));
    fake.isDown = true;
    fake.die();
    await until('forgotten', () => stateOf('b1') === undefined);
  });

  test('connects anew where a backend has moved', async (t) => {
    const { join, stateOf, registry } = start(t);
    const { fake } = await join('b1');
    await registry.announce({ ...backend('b1'), address: 'fake:b1', zone: 'z2' }, alone);
    assert.equal(fake.connects, 1);
    await registry.announce({ ...backend('b1'), address: 'fake:elsewhere' }, alone);
    await until('connected again', () => fake.connects === 2 && stateOf('b1') === 'up');
  });

  test('places models by what they require, and keeps others off what is tainted', async (t) => {
    const { mesh, join, put } = start(t);
    await join('plain');
    await join('costly', { labels: { gpu: 'a100' }, taints: ['gpu'] });
    await put(
      named('usual'),
      named('fast', { requires: { gpu: 'a100' } }),
      named('odd', { requires: { gpu: 'h100' } }),
    );
    assert.match(await ask(mesh, 'fast').over(), /on costly/);
    assert.match(await ask(mesh, 'usual').over(), /on plain/);
    const { candidates } = mesh.explain('odd');
    assert.deepEqual(
      candidates.map(({ verdict }) => verdict.kind),
      ['refused', 'refused'],
    );
  });

  test('leads an alias to its model, a label to its version, a split by weight', async (t) => {
    const { mesh, join, put } = start(t);
    await join('b1');
    const versions = { versions: [1, 2], stamps: ['s1', 's2'], labels: { stable: 1 } };
    await put(named('a', versions), named('b'));
    await put(
      { kind: 'route', name: 'alias', targets: [{ model: 'a', weight: 1 }] },
      { kind: 'route', name: 'steady', targets: [{ model: 'a', version: 'stable', weight: 1 }] },
      { kind: 'route', name: 'lost', targets: [{ model: 'a', version: 'beta', weight: 1 }] },
      {
        kind: 'route',
        name: 'split',
        targets: [
          { model: 'b', weight: 1 },
          { model: 'a', weight: 0 },
        ],
      },
    );
    assert.match(await ask(mesh, 'alias').over(), /^a s2 on/);
    assert.match(await ask(mesh, 'steady').over(), /^a s1 on/);
    assert.match(await ask(mesh, 'split').over(), /^b s1 on/);
    assert.equal(await ask(mesh, 'lost').over(), 'label_unknown');
    assert.ok(mesh.isModelReady('alias', undefined));
  });
});

describe('Unloading in a fleet', () => {
  /** Two routers of one fleet, each with a backend that only it is linked to: what each does shows. */
  async function twoRouters(t: TestContext) {
    const registry = new MemoryRegistry();
    const first = start(t, registry);
    const second = start(t, registry);
    const fakes = [first.unknown('b1'), second.unknown('b2')];
    for (const id of ['b1', 'b2'])
      await registry.announce({ ...backend(id), address: `fake:${id}`, labels: {} }, alone);
    await until('connected', () => first.stateOf('b1') === 'up' && second.stateOf('b2') === 'up');
    await first.put(named('a'));
    for (const { mesh } of [first, second]) assert.match(await ask(mesh, 'a').over(), /^a s1 on b/);
    return { registry, first: first.mesh, second: second.mesh, fakes };
  }

  test('holds for every router, until one is asked to load the model', async (t) => {
    const { registry, first, second, fakes } = await twoRouters(t);
    await second.unload('a');
    assert.deepEqual([ask(first, 'a').outcome, ask(second, 'a').outcome], Array(2).fill('model_unavailable'));
    await until('all copies gone', () => fakes.every(({ copies }) => copies.size === 0));
    const { mesh: third } = start(t, registry);
    assert.equal(ask(third, 'a').outcome, 'model_unavailable');
    await registry.putEntry({ ...named('a'), stamps: ['s2'], unloaded: true });
    assert.equal(ask(first, 'a').outcome, 'model_unavailable');
    await first.load('a', undefined);
    assert.match(await ask(second, 'a').over(), /^a s2 on b2/);
    assert.match(await ask(first, 'a').over(), /^a s2 on b1/);
    assert.deepEqual(registry.snapshot.entries.get('a')?.entry, { ...named('a'), stamps: ['s2'] });
  });

  test('is refused, and the model served on, where the catalogue cannot be changed', async (t) => {
    const { registry, first, second } = await twoRouters(t);
    registry.putEntry = () => Promise.reject(new SkeinError('registry_unreachable', { reason: 'away' }));
    await assert.rejects(first.unload('a'), { code: 'registry_unreachable' });
    for (const mesh of [first, second]) assert.match(await ask(mesh, 'a').over(), /^a s1 on b/);
    await first.load('a', undefined); // in service already: nothing to change
  });

  test('says nothing of a model that is registered under the name later', async (t) => {
    const { registry, first } = await twoRouters(t);
    await first.unload('a');
    await registry.removeEntry('a');
    await registry.putEntry(named('a', { stamps: ['s3'] }));
    assert.match(await ask(first, 'a').over(), /^a s3 on b1/);
  });
});

describe('DrainMover', () => {
  test('loads every copy elsewhere before it leaves, so that nobody meets a cold model', async (t) => {
    const { mesh, join, put, registry } = start(t);
    const { fake: b1 } = await join('b1');
    const names = Array.from({ length: 20 }, (_, i) => `m${i}`);
    await put(...names.map((name) => named(name)));
    for (const name of names) await ask(mesh, name).over();
    const { fake: b2 } = await join('b2');
    const cold = mesh.report().coldRequests;
    await registry.setDrain('b1', true);
    while (b1.copies.size > 0) for (const name of names) assert.match(await ask(mesh, name).over(), /on b[12]/);
    assert.equal(b2.ready.length, names.length);
    assert.equal(mesh.report().coldRequests, cold);
    assert.equal(mesh.report().copiesMoved, names.length);
    await registry.setDrain('b1', false);
    assert.equal(mesh.report().backends.find(({ id }) => id === 'b1')?.state, 'up');
  });

  test('leaves a copy where it is while nobody else can take it', async (t) => {
    const { mesh, join, put, registry, logs } = start(t);
    const { fake } = await join('b1');
    await put(named('a'));
    await ask(mesh, 'a').over();
    await registry.setDrain('b1', true);
    await until('tried', () => logs.some(({ message }) => /could not be moved/.test(message)));
    assert.match(await ask(mesh, 'a').over(), /on b1/);
    assert.equal(fake.ready.length, 1);
  });
});
