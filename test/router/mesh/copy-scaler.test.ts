import assert from 'node:assert/strict';
import { afterEach, describe, mock, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { ownerOf } from '../../../src/router/scaling/model-owner.ts';
import { until } from '../../adapters/until.ts';
import type { FakeBackend, FakeInfer } from './fake-fleet.ts';
import { ask, model, startMesh } from './test-mesh.ts';

/** As if so much time had passed. */
function pass(ms: number): void {
  const now = performance.now.bind(performance);
  mock.method(performance, 'now', () => now() + ms);
}

afterEach(() => mock.restoreAll());

/** Keeps every request until told. */
function keepOpen(...backends: FakeBackend[]): { answerAll(): void } {
  const open: FakeInfer[] = [];
  for (const backend of backends) backend.onInfer = (infer) => open.push(infer);
  return {
    answerAll: () => {
      for (const infer of open.splice(0)) infer.reply();
      for (const backend of backends) backend.onInfer = (infer) => infer.reply();
    },
  };
}

const copiesOf = (name: string, ...backends: FakeBackend[]) =>
  backends.reduce((sum, { ready }) => sum + ready.filter((one) => one.startsWith(`${name} `)).length, 0);

describe('CopyScaler', () => {
  test('gives a model with many requests in flight a second copy on another backend, and takes it back', async (t) => {
    const { mesh, backend, put, connected, logs } = startMesh(t);
    const [b1, b2] = [backend('b1'), backend('b2')];
    await connected();
    put(model('hot'), model('cold'));
    await ask(mesh, 'hot').over();
    await ask(mesh, 'cold').over();
    const { answerAll } = keepOpen(b1, b2);
    const answers = Array.from({ length: 40 }, () => ask(mesh, 'hot'));
    await until('a second copy', () => copiesOf('hot', b1, b2) === 2);
    assert.equal(copiesOf('cold', b1, b2), 1);
    assert.equal(mesh.report().copiesAdded, 1);
    const { wanted, mode } = mesh.explain('hot').scaling!;
    assert.deepEqual([wanted, mode], [2, 'panic']);
    assert.ok(logs.some(({ message }) => message === 'adding a copy'));
    answerAll();
    for (const answer of answers) await answer.over();
    pass(60_000); // the load is out of every window
    await until('one copy', () => copiesOf('hot', b1, b2) === 1);
    assert.equal(mesh.report().copiesTrimmed, 1);
    assert.match(await ask(mesh, 'hot').over(), /^hot s1v1 on/);
  });

  test('counts requests that are held for a copy', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const [b1, b2] = [backend('b1'), backend('b2')];
    await connected();
    const gate = Promise.withResolvers<void>();
    for (const one of [b1, b2]) one.onLoad = () => gate.promise;
    put(model('slow'));
    const answers = Array.from({ length: 40 }, () => ask(mesh, 'slow'));
    await until('loads on both', () => b1.loads.length === 1 && b2.loads.length === 1);
    assert.equal(mesh.report().held, 40);
    gate.resolve();
    for (const answer of answers) assert.match(await answer.over(), /^slow/);
  });

  test('counts requests that other routers hold, and tells backends of its own', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const [b1, b2] = [backend('b1'), backend('b2')];
    await connected();
    put(model('theirs'), model('own'));
    b1.beginCopy('theirs', 's1v1', 40);
    await until('a second copy of theirs', () => b2.loads.some(({ model: name }) => name === 'theirs'));
    assert.equal(mesh.report().held, 0);
    const gate = Promise.withResolvers<void>();
    for (const one of [b1, b2]) one.onLoad = () => gate.promise;
    const answers = Array.from({ length: 3 }, () => ask(mesh, 'own'));
    await until('told', () => [...b1.helds, ...b2.helds].includes(3));
    gate.resolve();
    for (const answer of answers) assert.match(await answer.over(), /^own/);
  });

  test('leaves models of other routers to them', async (t) => {
    const routers = ['router-1', 'router-2'];
    const { mesh, backend, put, connected } = startMesh(t, { routers: { self: 'router-1', all: () => routers } });
    const [b1, b2] = [backend('b1'), backend('b2')];
    await connected();
    const names = Array.from({ length: 40 }, (_, at) => `m${at}`);
    const [own, other] = routers.map((router) => names.find((name) => ownerOf(name, routers) === router)!);
    put(model(own!), model(other!));
    await ask(mesh, own!).over();
    await ask(mesh, other!).over();
    const { answerAll } = keepOpen(b1, b2);
    const answers = [own!, other!].flatMap((name) => Array.from({ length: 40 }, () => ask(mesh, name)));
    await until('a second copy of its own', () => copiesOf(own!, b1, b2) === 2);
    assert.equal(copiesOf(other!, b1, b2), 1);
    assert.equal(mesh.explain(other!).scaling, undefined);
    routers.pop();
    await until('a second copy of what the other left', () => copiesOf(other!, b1, b2) === 2);
    answerAll();
    for (const answer of answers) await answer.over();
  });

  test('trims what two routers loaded twice, not at once', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const [b1, b2] = [backend('b1'), backend('b2')];
    await connected();
    put(model('twice'));
    for (const one of [b1, b2]) one.addCopy('twice', 1, 's1v1');
    await until('a decision', () => mesh.explain('twice').scaling !== undefined);
    assert.equal(copiesOf('twice', b1, b2), 2);
    pass(20_000);
    await until('one copy', () => copiesOf('twice', b1, b2) === 1);
    assert.equal(mesh.report().copiesTrimmed, 1);
  });

  test('goes on after a copy that could not be added, and does not try it again at once', async (t) => {
    const { mesh, backend, put, connected, logs } = startMesh(t);
    const [b1, b2] = [backend('b1'), backend('b2')];
    await connected();
    put(model('hot'));
    await ask(mesh, 'hot').over();
    const other = copiesOf('hot', b1) === 1 ? b2 : b1;
    other.onLoad = () => {
      throw new SkeinError('no_room', { model: 'hot', neededBytes: 1, detail: 'full' });
    };
    const { answerAll } = keepOpen(b1, b2);
    const answers = Array.from({ length: 40 }, () => ask(mesh, 'hot'));
    await until('the refusal', () => logs.some(({ message }) => message === 'a further copy did not load'));
    await new Promise((resolve) => setTimeout(resolve, 600));
    assert.equal(other.loads.length, 1);
    answerAll();
    for (const answer of answers) assert.match(await answer.over(), /^hot/);
  });

  test('gives up a model that is idle for longer than it may be, and loads it again when it is asked for', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t, { maxIdleMs: 120_000, pinned: new Set(['kept']) });
    const b1 = backend('b1');
    await connected();
    put(model('idle'), model('kept'));
    await ask(mesh, 'idle').over();
    await ask(mesh, 'kept').over();
    await until(
      'a decision on both',
      () => mesh.explain('kept').scaling !== undefined && mesh.explain('idle').scaling !== undefined,
    );
    pass(100_000);
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.deepEqual([copiesOf('idle', b1), copiesOf('kept', b1)], [1, 1]);
    pass(30_000);
    await until('no copy', () => copiesOf('idle', b1) === 0);
    assert.equal(copiesOf('kept', b1), 1);
    assert.match(await ask(mesh, 'idle').over(), /^idle/);
  });
});
