import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { clientBody } from '../../adapters/client-body.ts';
import { until } from '../../adapters/until.ts';
import type { FakeBackend } from './fake-fleet.ts';
import { type Answer, ask, model, startMesh } from './test-mesh.ts';

describe('LocalMesh', () => {
  test('starts the backend of an engine with the first model that wants it, and again when it has gone', async (t) => {
    const { mesh, backend, onDemand, put, connected, processes } = startMesh(t);
    const onnx = backend('b1');
    const tensorflow = onDemand('t1');
    await connected();
    put(model('a'), { ...model('s'), engine: 'tensorflow' });
    assert.deepEqual(
      mesh.report().backends.map(({ id }) => id),
      ['b1'],
    );
    await ask(mesh, 'a').over();
    assert.deepEqual(processes.woken, []);
    for (const loads of [1, 2]) {
      const answer = ask(mesh, 's');
      await until('the wish', () => processes.woken.includes('t1'));
      tensorflow.isDown = false;
      assert.equal(await answer.over(), 's s1v1 on t1');
      assert.deepEqual([tensorflow.loads.length, onnx.loads.length], [loads, 1]);
      tensorflow.isDown = true;
      tensorflow.die();
      processes.woken.length = 0;
      await until('its end', () => mesh.report().backends.length === 1);
    }
  });

  test('answers every request once and keeps nothing of it, whatever its backends do', async (t) => {
    const fault = fc.record({
      kind: fc.constantFrom(
        'die',
        'stall',
        'answers again',
        'evict',
        'loses a copy',
        'drains',
        'no room',
        'overloaded',
        'ok',
      ),
      backend: fc.nat(1),
      model: fc.nat(2),
    });
    const request = fc.record({
      kind: fc.constant('request' as const),
      model: fc.nat(2),
      cancels: fc.nat(4),
      gap: fc.nat(2),
    });
    const steps = fc.array(fc.oneof({ weight: 4, arbitrary: request }, { weight: 1, arbitrary: fault }), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (all, isCrash) => {
        const { mesh, backend, put, connected, processes } = startMesh(t);
        if (isCrash) processes.end = { kind: 'signal', signal: 'SIGSEGV' };
        const backends = [backend('b1'), backend('b2')];
        await connected();
        put(model('m0'), model('m1'), model('m2'));
        const pools: { usedBytes: number }[] = [];
        const answers: Answer[] = [];
        const cancelled: Answer[] = [];
        for (const step of all) {
          if (step.kind !== 'request') {
            trouble(backends[step.backend]!, step.kind, `m${step.model}`);
            continue;
          }
          const client = clientBody(undefined, 100_000);
          pools.push(client.pool);
          const answer = ask(mesh, `m${step.model}`, { body: client.body });
          client.body.push(Buffer.from('some'));
          for (let i = 0; i < step.gap; i++) await new Promise((resolve) => setImmediate(resolve));
          client.body.end();
          if (step.cancels === 0 && !answer.isOver) {
            answer.cancel();
            cancelled.push(answer);
          } else answers.push(answer);
        }
        for (const one of backends) trouble(one, 'ok', '');
        await until('all answers', () => answers.every(({ isOver }) => isOver));
        for (const { outcome } of answers)
          assert.match(outcome!, /^m\d s1v1 on (b\d|quarantine|isolated-\d)$|^bodies_full$/);
        assert.ok(cancelled.every(({ isOver }) => !isOver));
        await until('rest', () => mesh.report().models.loading === 0);
        assert.deepEqual([mesh.report().held, mesh.report().inFlight], [0, 0]);
        assert.ok(pools.every(({ usedBytes }) => usedBytes === 0));
        mesh.stop();
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });

  test('reports the fleet: its backends, what they hold, and what is under way', async (t) => {
    const { mesh, backend, external, put, connected } = startMesh(t);
    const b1 = backend('b1');
    external('x', {}, ['far']);
    await connected();
    put(model('a'), model('b'));
    await ask(mesh, 'a').over();
    b1.onInfer = () => {};
    const open = ask(mesh, 'a');
    await until('the request', () => b1.infers.length === 2);
    const report = mesh.report();
    assert.deepEqual(report.models, { known: 3, loaded: 1, loading: 0, failed: 0 });
    assert.deepEqual([report.inFlight, report.loads, report.coldRequests, report.loadFailures], [1, 1, 1, 0]);
    const [first, second] = report.backends;
    assert.deepEqual(
      [first!.id, first!.state, first!.copies, first!.inFlight, first!.usedBytes],
      ['b1', 'up', 1, 1, 1_000],
    );
    assert.deepEqual([second!.id, second!.kind], ['x', 'v2']);
    b1.stall(true);
    assert.deepEqual(
      [mesh.report().backends[0]!.state, mesh.report().backends[0]!.reason],
      ['stalled', 'silent for a second'],
    );
    b1.stall(false);
    b1.infers[1]!.reply();
    await open.over();
    b1.isDown = true;
    b1.die();
    assert.deepEqual(
      [mesh.report().backends[0]!.state, mesh.report().backends[0]!.reason],
      ['down', 'the process ended'],
    );
    assert.equal(mesh.isReady(), true, 'the other one is up');
  });

  test('explains where a model is, and what would become of a request for it', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    put(model('a'), model('broken'), { ...model('bad'), problem: 'its configuration is wrong' });
    assert.match(mesh.explain('a').now, /^would be loaded on b1, for the first time$/);
    await ask(mesh, 'a').over();
    assert.deepEqual([mesh.explain('a').now, mesh.explain('a').report.state], ['served by b1', 'ready']);
    assert.equal(mesh.explain('a').report.copies[0]!.backend, 'b1');
    b1.dropCopy('a');
    assert.equal(mesh.explain('a').now, 'would be loaded on b1 in about 10 ms');
    b1.onLoad = () =>
      Promise.reject(new SkeinError('load_failed', { model: 'broken', version: 1, reason: 'no such op' }));
    await ask(mesh, 'broken').over();
    assert.match(mesh.explain('broken').now, /^refused: .*no such op/);
    assert.match(mesh.explain('bad').now, /^refused: its configuration is wrong/);
    await mesh.unload('a');
    assert.match(mesh.explain('a').now, /^refused: the model was unloaded by request/);
    assert.throws(() => mesh.explain('nobody'), { code: 'model_unknown' });
  });

  test('plans what a drained backend’s models would move to, and moves nothing', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const backends = [backend('b1'), backend('b2')];
    await connected();
    const names = Array.from({ length: 8 }, (_, i) => `m${i}`);
    put(...names.map((name) => model(name)));
    for (const name of names) await ask(mesh, name).over();
    const [b1] = backends;
    const plan = mesh.plan('b1');
    assert.deepEqual(
      plan.moves.map(({ model: name, from, to }) => [name, from, to]).sort(),
      [...b1!.copies.values()].map(({ model: name }) => [name, 'b1', 'b2']).sort(),
    );
    assert.deepEqual([plan.bytes, plan.homeless], [1_000 * b1!.copies.size, []]);
    assert.equal(
      backends.reduce((sum, { loads }) => sum + loads.length, 0),
      names.length,
    );
    assert.throws(() => mesh.plan('b9'), { code: 'backend_unknown' });
    assert.deepEqual(mesh.plan(undefined).homeless, []);
  });

  test('describes a model, loads it where need be, and does not wait for a backend that fell silent', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t, { requestTimeoutMs: 100 });
    const b1 = backend('b1');
    await connected();
    put(model('a', 's', [1, 2]));
    const description = await mesh.describe('a', undefined);
    assert.deepEqual([description.versions, description.config], [[1, 2], { name: 'a' }]);
    assert.deepEqual((await mesh.describe('a', 1)).versions, [1]);
    assert.equal(b1.loads.length, 2);
    b1.onDescribe = () => new Promise(() => {});
    await assert.rejects(mesh.describe('a', undefined), { code: 'deadline_passed' });
    assert.deepEqual(await mesh.statistics(undefined, undefined), []);
    await assert.rejects(mesh.statistics('nobody', undefined), { code: 'model_unknown' });
    await assert.rejects(mesh.describe('a', 9), { code: 'version_unknown' });
  });

  test('spreads models over its backends, and sends no request to one that has been drained', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const backends = [backend('b1'), backend('b2')];
    await connected();
    const names = Array.from({ length: 30 }, (_, i) => `m${i}`);
    put(...names.map((name) => model(name)));
    for (const name of names) await ask(mesh, name).over();
    for (const { copies } of backends) assert.ok(copies.size >= 8, `${copies.size} of 30`);
    const [b1, b2] = backends;
    b1!.isDraining = true;
    b1!.addCopy('other'); // its state is told
    await until('what it held is elsewhere', () => b2!.ready.length === 30);
    const before = b1!.infers.length;
    for (const name of names) assert.match(await ask(mesh, name).over(), / on b2$/);
    assert.equal(b1!.infers.length, before);
    assert.equal(b2!.copies.size, 30);
  });

  test('fails what is under way when it is stopped, and starts nothing', async (t) => {
    const { mesh, backend, put, connected, processes } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    put(model('a'));
    await ask(mesh, 'a').over();
    b1.onInfer = () => {};
    ask(mesh, 'a');
    await until('the request', () => b1.infers.length === 2);
    mesh.stop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual([b1.isConnected, b1.connects, processes.opened], [false, 1, []]);
  });
});

function trouble(backend: FakeBackend, kind: string, name: string): void {
  switch (kind) {
    case 'die':
      backend.die();
      setTimeout(() => {
        backend.isDown = false;
      }, 3);
      return;
    case 'stall':
      backend.stall(true);
      return;
    case 'answers again':
      backend.stall(false);
      return;
    case 'evict':
      backend.dropCopy(name);
      return;
    case 'loses a copy':
      backend.loseCopy(name);
      return;
    case 'no room':
      backend.onLoad = () => Promise.reject(new SkeinError('no_room', { model: name, neededBytes: 1, detail: 'full' }));
      return;
    case 'overloaded':
      backend.onInfer = (infer) => infer.fail(new SkeinError('bodies_full', { heldBytes: 1, limitBytes: 1 }));
      return;
    case 'drains':
      backend.onLoad = () => Promise.reject(new SkeinError('backend_draining', { model: name }));
      return;
    default:
      backend.isDown = false;
      backend.stall(false);
      backend.onLoad = () => {};
      backend.onInfer = (infer) => infer.reply();
  }
}
