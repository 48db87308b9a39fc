import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { clientBody } from '../../adapters/client-body.ts';
import { until } from '../../adapters/until.ts';
import type { FakeInfer } from './fake-fleet.ts';
import { ask, model, startMesh, type TestMesh } from './test-mesh.ts';

type Owner = { after(hook: () => void): void };

/** A mesh whose model `a` is ready on each of so many backends. */
async function readyOn(t: Owner, count: number, options: Parameters<typeof startMesh>[1] = {}) {
  const test: TestMesh = startMesh(t, options);
  const backends = Array.from({ length: count }, (_, i) => test.backend(`b${i + 1}`));
  await test.connected();
  test.put(model('a'));
  for (const one of backends) one.addCopy('a', 1, 's1v1');
  const seen = (): FakeInfer[] => backends.flatMap(({ infers }) => infers);
  return { ...test, backends, seen };
}

const full = () => new SkeinError('bodies_full', { heldBytes: 1, limitBytes: 1 });

describe('RequestRun', () => {
  test('tries another copy where one fails in a way that allows it', async (t) => {
    const { mesh, backends, seen } = await readyOn(t, 2);
    for (const one of backends) one.onInfer = (infer) => (seen().length === 1 ? infer.fail(full()) : infer.reply());
    const answer = ask(mesh, 'a');
    assert.match(await answer.over(), /^a s1v1 on b/);
    assert.deepEqual(
      backends.map(({ infers }) => infers.length),
      [1, 1],
    );
    assert.deepEqual([seen()[0]!.body, mesh.report().retries], [seen()[1]!.body, 1]);
  });

  test('ends with the last error where every copy that is ready failed', async (t) => {
    const { mesh, backends } = await readyOn(t, 2);
    for (const one of backends) one.onInfer = (infer) => infer.fail(full());
    assert.equal(await ask(mesh, 'a').over(), 'bodies_full');
    assert.deepEqual(
      backends.map(({ infers, loads }) => [infers.length, loads.length]),
      [
        [1, 0],
        [1, 0],
      ],
    );
  });

  test('passes on an error that says the request is wrong, and tries nobody else', async (t) => {
    const { mesh, backends, seen } = await readyOn(t, 2);
    for (const one of backends) one.onInfer = (infer) => infer.fail(new SkeinError('run_failed', { reason: 'no' }));
    assert.equal(await ask(mesh, 'a').over(), 'run_failed');
    assert.equal(seen().length, 1);
  });

  test('tells nothing of half an answer that another copy gives whole', async (t) => {
    const { mesh, backends, seen } = await readyOn(t, 2);
    for (const one of backends) {
      one.onInfer = (infer) => {
        if (seen().length > 1) infer.reply('whole');
        else {
          infer.begin(100, Buffer.from('half'));
          infer.fail(full());
        }
      };
    }
    assert.equal(await ask(mesh, 'a').over(), 'whole');
  });

  test('begins nothing anew once the client has something of the answer', async (t) => {
    const { mesh, backends, seen } = await readyOn(t, 2);
    for (const one of backends) {
      one.onInfer = (infer) => {
        infer.begin(1_000_000, Buffer.alloc(500_000));
        infer.fail(full());
      };
    }
    const answer = ask(mesh, 'a');
    assert.equal(await answer.over(), 'bodies_full');
    assert.deepEqual([answer.bytes, seen().length], [500_000, 1]);
  });

  test('loads a model again whose copy left as the request was on its way', async (t) => {
    const { mesh, backends } = await readyOn(t, 1);
    const [b1] = backends;
    b1!.loseCopy('a');
    assert.equal(await ask(mesh, 'a').over(), 'a s1v1 on b1');
    assert.deepEqual([b1!.infers.length, b1!.loads.length], [2, 1]);
  });

  test('sends no second request to a copy that left', async (t) => {
    const { mesh, backends } = await readyOn(t, 1);
    const [b1] = backends;
    b1!.loseCopy('a');
    const answers = Array.from({ length: 10 }, () => ask(mesh, 'a'));
    for (const answer of answers) assert.equal(await answer.over(), 'a s1v1 on b1');
    assert.equal(b1!.loads.length, 1);
  });

  test('does not try again a body that could not be kept', async (t) => {
    const { mesh, backends, seen } = await readyOn(t, 2);
    for (const one of backends) one.onInfer = (infer) => infer.fail(full());
    const client = clientBody(undefined, 1_000);
    const answer = ask(mesh, 'a', { body: client.body });
    client.body.push(Buffer.alloc(5_000));
    client.body.end();
    assert.equal(await answer.over(), 'bodies_full');
    assert.deepEqual([seen().length, client.pool.usedBytes], [1, 0]);
  });

  test('moves to another backend when its own falls silent', async (t) => {
    const { mesh, backends, seen } = await readyOn(t, 2);
    for (const one of backends) one.onInfer = (infer) => (seen().length === 1 ? undefined : infer.reply());
    const answer = ask(mesh, 'a');
    await until('the request', () => seen().length === 1);
    const [first] = seen();
    first!.backend.stall(true);
    assert.match(await answer.over(), /^a s1v1 on b/);
    assert.equal(first!.isCancelled, true);
    assert.deepEqual(
      backends.map(({ infers }) => infers.length),
      [1, 1],
    );
    first!.reply('too late');
    assert.equal(ask(mesh, 'a').exchange !== undefined, true);
  });

  test('moves to a backend that has to load the model first', async (t) => {
    const { mesh, backend, backends, connected } = await readyOn(t, 1);
    const b2 = backend('b2');
    await connected();
    backends[0]!.onInfer = () => {};
    const answer = ask(mesh, 'a');
    await until('the request', () => backends[0]!.infers.length === 1);
    backends[0]!.stall(true);
    assert.equal(await answer.over(), 'a s1v1 on b2');
    assert.equal(b2.loads.length, 1);
  });

  test('stays with a silent backend where there is no other, and takes its answer', async (t) => {
    const { mesh, backends } = await readyOn(t, 1);
    const [b1] = backends;
    b1!.onInfer = () => {};
    const answer = ask(mesh, 'a');
    await until('the request', () => b1!.infers.length === 1);
    b1!.stall(true);
    assert.equal(b1!.infers[0]!.isCancelled, false);
    b1!.stall(false);
    b1!.infers[0]!.reply();
    assert.equal(await answer.over(), 'a s1v1 on b1');
  });

  test('moves hundreds of requests from a silent backend, and none fails for want of retries', async (t) => {
    const { mesh, backends } = await readyOn(t, 2);
    const [b1, b2] = backends;
    for (const one of [b1!, b2!]) one.onInfer = () => {};
    const answers = Array.from({ length: 1_200 }, () => ask(mesh, 'a'));
    await until('the requests', () => b1!.infers.length + b2!.infers.length === 1_200);
    b1!.stall(true);
    b2!.onInfer = (infer) => infer.reply();
    for (const infer of [...b2!.infers]) infer.reply();
    b1!.stall(false);
    for (const infer of [...b1!.infers]) infer.reply();
    for (const answer of answers) assert.match(await answer.over(), /^a s1v1 on b/);
  });

  test('tells a client when its time is over, whatever the backend does, and gives up there', async (t) => {
    const { mesh, backends } = await readyOn(t, 1);
    backends[0]!.onInfer = () => {};
    const answer = ask(mesh, 'a', { timeoutMs: 60 });
    assert.equal(await answer.over(), 'deadline_passed');
    const ms = Number(answer.error!.facts['ms']);
    assert.ok(ms >= 60 && ms < 10_000, `${ms} ms`);
    assert.equal(backends[0]!.infers[0]!.isCancelled, true);
    assert.equal(mesh.report().inFlight, 0);
  });

  test('tells the time that has passed where the client named none', async (t) => {
    const { mesh, backends } = await readyOn(t, 1, { requestTimeoutMs: 80 });
    backends[0]!.onInfer = () => {};
    const answer = ask(mesh, 'a');
    assert.equal(await answer.over(), 'deadline_passed');
    assert.ok(Number(answer.error!.facts['ms']) >= 80);
  });

  test('gives up at the backend what its client gave up, and says nothing more', async (t) => {
    const { mesh, backends } = await readyOn(t, 1);
    backends[0]!.onInfer = () => {};
    const answer = ask(mesh, 'a');
    await until('the request', () => backends[0]!.infers.length === 1);
    answer.cancel();
    assert.equal(backends[0]!.infers[0]!.isCancelled, true);
    assert.equal(mesh.report().inFlight, 0);
    answer.cancel();
  });

  test('gives its body back however it ends', async (t) => {
    const { mesh, backends } = await readyOn(t, 1);
    const [b1] = backends;
    const bodies = Array.from({ length: 4 }, () => clientBody(undefined, 100_000));
    b1!.onInfer = (infer) => {
      if (infer.body === 'fails') infer.fail(new SkeinError('run_failed', { reason: 'no' }));
      else if (infer.body === 'answers') infer.reply();
    };
    const answers = ['answers', 'fails', 'cancelled', 'unknown'].map((text, i) => {
      const { body } = bodies[i]!;
      body.push(Buffer.from(text));
      body.end();
      return ask(mesh, text === 'unknown' ? 'nobody' : 'a', { body });
    });
    await until('the requests', () => b1!.infers.length === 3);
    answers[2]!.cancel();
    assert.deepEqual(await Promise.all([0, 1, 3].map((i) => answers[i]!.over())), [
      'a s1v1 on b1',
      'run_failed',
      'model_unknown',
    ]);
    assert.deepEqual(
      bodies.map(({ pool }) => pool.usedBytes),
      [0, 0, 0, 0],
    );
  });
});
