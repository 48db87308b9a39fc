import assert from 'node:assert/strict';
import { afterEach, describe, mock, test } from 'node:test';
import { clientBody, wholeBody } from '../../adapters/client-body.ts';
import { until } from '../../adapters/until.ts';
import type { FakeBackend } from './fake-fleet.ts';
import { type Answer, ask, model, startMesh, type TestMesh } from './test-mesh.ts';

type Owner = { after(hook: () => void): void };

const fpe = { kind: 'signal', signal: 'SIGFPE' } as const;

function pass(ms: number): void {
  const now = performance.now.bind(performance);
  mock.method(performance, 'now', () => now() + ms);
}

afterEach(() => mock.restoreAll());

/** Ends the process of a backend, which is started again. */
function crash(backend: FakeBackend): void {
  backend.die();
  setTimeout(() => {
    backend.isDown = false;
  }, 5);
}

/**
 * A backend that keeps requests open, and crashes when `go` is said; the quarantine process crashes with each body that
 * begins with `poison`, and answers the others.
 */
async function crashing(t: Owner, options: Parameters<typeof startMesh>[1] = {}) {
  const test: TestMesh = startMesh(t, options);
  const b1 = test.backend('b1');
  await test.connected();
  test.put(model('a'), model('b'));
  for (const name of ['a', 'b']) b1.addCopy(name, 1, 's1v1');
  b1.onInfer = () => {};
  test.processes.end = fpe;
  let quarantine: FakeBackend | undefined;
  test.processes.onOpen = (backend) => {
    quarantine = backend;
    backend.onInfer = (infer) => (infer.body.startsWith('poison') ? crash(backend) : infer.reply());
  };
  const send = (name: string, text: string) => ask(test.mesh, name, { body: wholeBody(Buffer.from(text)) });
  return { ...test, b1, send, quarantine: () => quarantine };
}

describe('CrashInquiry', () => {
  test('tries requests of a process that was killed from outside elsewhere, as if nothing had been', async (t) => {
    const { mesh, b1, processes, send } = await crashing(t);
    processes.end = { kind: 'signal', signal: 'SIGKILL' };
    const answers = [send('a', 'one'), send('b', 'two')];
    await until('the requests', () => b1.infers.length === 2);
    b1.onInfer = (infer) => infer.reply();
    crash(b1);
    assert.deepEqual(await Promise.all(answers.map((answer) => answer.over())), ['a s1v1 on b1', 'b s1v1 on b1']);
    assert.deepEqual([processes.opened, mesh.report().convictions], [[], 0]);
  });

  test('runs suspects of a crash one by one alone, convicts the culprit and spares the others', async (t) => {
    const { mesh, b1, processes, send, quarantine } = await crashing(t);
    const names = ['fine 1', 'poison', 'fine 2'];
    const answers = names.map((text) => send('a', text));
    await until('the requests', () => b1.infers.length === 3);
    b1.onInfer = (infer) => infer.reply();
    crash(b1);
    const outcomes = await Promise.all(answers.map((answer) => answer.over()));
    assert.equal(outcomes[1], 'request_convicted');
    for (const i of [0, 2]) assert.match(outcomes[i]!, /^a s1v1 on (quarantine|b1)$/);
    assert.deepEqual([processes.opened, mesh.report().convictions], [['quarantine'], 1]);
    const alone = quarantine()!.infers.map(({ body }) => body);
    assert.deepEqual(alone.slice(0, 2), ['fine 1', 'poison']);
    assert.ok(
      b1.infers.every(({ body }, i) => i < 3 || body !== 'poison'),
      'the culprit ran among others again',
    );
  });

  test('refuses the body of a convicted request without sending it, for as long as the conviction holds', async (t) => {
    const { mesh, b1, send, quarantine } = await crashing(t);
    const first = send('a', 'poison');
    await until('the request', () => b1.infers.length === 1);
    b1.onInfer = (infer) => infer.reply();
    crash(b1);
    assert.equal(await first.over(), 'request_convicted');
    const sent = () => b1.infers.length + quarantine()!.infers.length;
    const before = sent();
    const again = send('a', 'poison');
    assert.equal(again.outcome, 'request_convicted');
    assert.ok(Number(again.error!.facts['seconds']) > 50);
    assert.equal(await send('b', 'poison').over(), 'b s1v1 on b1', 'a body is convicted for one model');
    assert.equal(await send('a', 'healthy').over(), 'a s1v1 on b1');
    assert.equal(sent(), before + 2);
    pass(61_000);
    assert.equal(await send('a', 'poison').over(), 'a s1v1 on b1');
    assert.equal(mesh.report().convictions, 1);
  });

  test('tries suspects one at a time among the others where no process can be had apart', async (t) => {
    const { mesh, b1, backend, processes, send } = await crashing(t);
    const b2 = backend('b2');
    for (const name of ['a', 'b']) b2.addCopy(name, 1, 's1v1');
    await until('b2', () => mesh.report().backends.every(({ state }) => state === 'up'));
    let turns = 0;
    let most = 0;
    processes.takeTurn = async () => {
      most = Math.max(most, ++turns);
      return async () => void turns--;
    };
    b2.onInfer = () => {};
    const answers = ['fine 1', 'poison', 'fine 2', 'fine 3', 'fine 4', 'fine 5'].map((text) => send('a', text));
    await until('the requests', () => b1.infers.length + b2.infers.length === 6);
    const poisoned = [b1, b2].find(({ infers }) => infers.some(({ body }) => body === 'poison'))!;
    const other = poisoned === b1 ? b2 : b1;
    for (const infer of other.infers) infer.reply();
    other.onInfer = (infer) => {
      if (infer.body !== 'poison') return infer.reply();
      poisoned.onInfer = (one) => one.reply();
      crash(other);
    };
    crash(poisoned);
    const outcomes = await Promise.all(answers.map((answer) => answer.over()));
    assert.equal(outcomes[1], 'request_convicted');
    for (const i of [0, 2, 3, 4, 5]) assert.match(outcomes[i]!, /^a s1v1 on b[12]$/);
    assert.deepEqual([processes.opened, mesh.report().convictions, most], [[], 1, 1]);
  });

  test('in a fleet, gives up a request that was in two processes that were killed: the system may be out of memory', async (t) => {
    const { mesh, b1, backend, processes, send } = await crashing(t);
    const b2 = backend('b2');
    b2.addCopy('a', 1, 's1v1');
    await until('b2', () => mesh.report().backends.every(({ state }) => state === 'up'));
    processes.end = { kind: 'signal', signal: 'SIGKILL' };
    processes.takeTurn = () => Promise.reject(new Error('nobody is suspected'));
    for (const one of [b1, b2]) one.onInfer = () => crash(one);
    const hog = send('a', 'hog');
    assert.equal(await hog.over(), 'request_convicted');
    assert.equal(b1.infers.length + b2.infers.length, 2);
  });

  test('recognises a convicted body that comes in pieces', async (t) => {
    const { mesh, b1, send } = await crashing(t);
    const first = send('a', 'poison pill');
    await until('the request', () => b1.infers.length === 1);
    b1.onInfer = (infer) => infer.reply();
    crash(b1);
    assert.equal(await first.over(), 'request_convicted');
    const { body } = clientBody(undefined);
    const answer = ask(mesh, 'a', { body });
    for (const piece of ['poi', 'son ', 'pill']) {
      assert.equal(answer.outcome, undefined);
      body.push(Buffer.from(piece));
    }
    body.end();
    assert.equal(await answer.over(), 'request_convicted');
  });

  test('sends on whole a body of a watched model that is too large to be kept', async (t) => {
    const { mesh, b1, send } = await crashing(t);
    const first = send('a', 'poison');
    await until('the request', () => b1.infers.length === 1);
    b1.onInfer = (infer) => infer.reply(`${infer.body.length} bytes`);
    crash(b1);
    assert.equal(await first.over(), 'request_convicted');
    for (const isThere of [false, true]) {
      const { body } = clientBody(undefined, 10_000);
      const fill = () => {
        for (let i = 0; i < 30; i++) body.push(Buffer.alloc(1_000, i));
        body.end();
      };
      if (isThere) fill();
      const answer = ask(mesh, 'a', { body });
      if (!isThere) fill();
      assert.equal(await answer.over(), '30000 bytes');
    }
  });

  test('answers a suspect whose body was not kept with the crash, and blames its model all the same', async (t) => {
    const { mesh, b1, processes, logs } = await crashing(t);
    for (let crashes = 1; crashes <= 3; crashes++) {
      await until('the copy', () => b1.ready.length >= 1 || mesh.report().backends[0]!.state === 'up');
      if (!b1.ready.includes('a s1v1')) b1.addCopy('a', 1, 's1v1');
      const seen = b1.infers.length;
      const { body } = clientBody(undefined, 1_000);
      body.push(Buffer.alloc(5_000));
      body.end();
      const answer = ask(mesh, 'a', { body });
      await until('the request', () => b1.infers.length === seen + 1);
      crash(b1);
      assert.equal(await answer.over(), 'copy_crashed');
      await until('its return', () => b1.isConnected);
    }
    assert.ok(logs.some(({ message }) => message.includes('isolated in one of its own')));
    assert.deepEqual(processes.opened, ['isolated-1']);
  });

  test('goes on with the other suspects when the client of one has left', async (t) => {
    const { b1, send, quarantine } = await crashing(t);
    const answers = ['fine 1', 'fine 2', 'fine 3'].map((text) => send('a', text));
    await until('the requests', () => b1.infers.length === 3);
    crash(b1);
    answers[0]!.cancel();
    answers[1]!.cancel();
    assert.match(await answers[2]!.over(), /^a s1v1 on/);
    assert.deepEqual(
      quarantine()!.infers.map(({ body }) => body),
      ['fine 3'],
    );
  });

  test('goes on with the other suspects when the time of the one that runs is over', async (t) => {
    const { mesh, b1, processes } = await crashing(t);
    processes.onOpen = (backend) => {
      backend.onInfer = (infer) => infer.body !== 'slow' && infer.reply();
    };
    const slow = ask(mesh, 'a', { body: wholeBody(Buffer.from('slow')), timeoutMs: 300 });
    const other = ask(mesh, 'a', { body: wholeBody(Buffer.from('other')) });
    await until('the requests', () => b1.infers.length === 2);
    crash(b1);
    assert.equal(await slow.over(), 'deadline_passed');
    assert.match(await other.over(), /^a s1v1 on/);
  });

  test('answers suspects with the crash where nobody can run them alone', async (t) => {
    const { b1, processes, send } = await crashing(t);
    processes.canOpen = false;
    const answers: Answer[] = [send('a', 'one'), send('b', 'two')];
    await until('the requests', () => b1.infers.length === 2);
    crash(b1);
    assert.deepEqual(await Promise.all(answers.map((answer) => answer.over())), ['copy_crashed', 'copy_crashed']);
  });

  test('gives a model that keeps crashing a process of its own, and lets it back when it has been quiet', async (t) => {
    const { mesh, b1, processes, send, logs } = await crashing(t);
    const apart: FakeBackend[] = [];
    processes.onOpen = (backend) => {
      apart.push(backend);
      backend.onInfer = (infer) => (infer.body.startsWith('poison') ? crash(backend) : infer.reply());
    };
    for (const text of ['poison 1', 'poison 2']) {
      b1.onInfer = () => {};
      const seen = b1.infers.length;
      const answer = send('a', text);
      await until('the request', () => b1.infers.length > seen);
      crash(b1);
      assert.equal(await answer.over(), 'request_convicted');
      await until('its return', () => b1.isConnected);
    }
    b1.onInfer = (infer) => infer.reply();
    await until('the isolation', () => processes.opened.includes('isolated-1'));
    assert.equal(await send('a', 'healthy').over(), 'a s1v1 on isolated-1');
    assert.equal(await send('b', 'healthy').over(), 'b s1v1 on b1');
    assert.ok(!b1.ready.includes('a s1v1'), 'it is still among the others');
    const isolated = apart.find(({ id }) => id === 'isolated-1')!;
    isolated.onInfer = () => {};
    const late = ask(mesh, 'a', { body: wholeBody(Buffer.from('late')), timeoutMs: 600_000 });
    await until('the request', () => isolated.infers.at(-1)?.body === 'late');
    isolated.onUnload = () => until('its answer', () => late.isOver);
    pass(61_000);
    await until('its return', () => logs.some(({ message }) => message === 'model is back among the others'));
    assert.equal(await send('a', 'again').over(), 'a s1v1 on b1');
    assert.deepEqual(processes.closed, [], 'its process was ended with a request in it');
    isolated.infers.at(-1)!.reply();
    assert.equal(await late.over(), 'a s1v1 on isolated-1');
    await until('its end', () => processes.closed.includes('isolated-1'));
    assert.ok(!mesh.report().backends.some(({ id }) => id === 'isolated-1'));
  });

  test('judges no server of somebody else', async (t) => {
    const { mesh, external, processes } = startMesh(t);
    const servers = ['x1', 'x2'].map((id) => external(id, {}, ['far']));
    for (const server of servers) server.addCopy('far');
    await until('both', () => mesh.report().backends.every(({ state }) => state === 'up'));
    for (const server of servers) server.addCopy('far');
    const seen = () => servers.flatMap(({ infers }) => infers);
    for (const server of servers) server.onInfer = (infer) => (seen().length === 1 ? server.die() : infer.reply());
    assert.match(await ask(mesh, 'far').over(), /^far {2}on x/);
    assert.deepEqual(processes.opened, []);
  });
});
