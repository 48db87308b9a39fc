import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { createRouterServer } from '../../../src/router/servers/http-server.ts';
import { defaultServerOptions } from '../../../src/router/servers/server-options.ts';
import { FakeMesh } from './fake-mesh.ts';
import { http, type Served, serveFake, until } from './serve-fake.ts';

const path = '/v2/models/simple/infer';

async function open({ server }: Served): Promise<Socket> {
  const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

test('createRouterServer answers pipelined requests in order, however long each takes', async (t) => {
  const { mesh, send } = await serveFake(t);
  mesh.behaviour = (inference) => {
    if (inference.isComplete) setTimeout(() => inference.reply(inference.body), 50 - 10 * inference.receivedBytes);
  };
  const requests = ['1', '22', '333'].map((body) => http('POST', path, body));
  const { answers } = await send(Buffer.concat([...requests, http('GET', '/v2/health/live')]), { settleMs: 200 });
  assert.deepEqual(
    answers.map(({ body }) => body.toString()),
    ['1', '22', '333', ''],
  );
});

test('createRouterServer keeps a connection for the next request, or closes it where it is told to', async (t) => {
  const open = await serveFake(t);
  assert.equal((await open.send(http('GET', '/v2'))).connection, 'open');
  assert.equal((await open.send(http('GET', '/v2', undefined, { Connection: 'close' }))).connection, 'closed');
  const closing = await serveFake(t, { keepAliveTimeoutMs: 0 });
  for (const bytes of [http('GET', '/v2'), http('POST', path, '{}'), http('POST', '/v2/models/nope/infer', '{}')]) {
    assert.equal((await closing.send(bytes)).connection, 'closed');
  }
});

test('createRouterServer tells a connection beyond the limit so, and takes the next when one is free', async (t) => {
  const served = await serveFake(t, { maxConnections: 2 });
  const held = [await open(served), await open(served)];
  await until(() => served.metrics.connections === 2);
  const { answers, connection } = await served.send(http('POST', path, '{}'));
  assert.equal(answers[0]!.status, 503);
  assert.equal(answers[0]!.headers.get('retry-after'), '1');
  assert.match(answers[0]!.body.toString(), /2 connections are open.*max-connections/);
  assert.notEqual(connection, 'open');
  assert.equal(served.mesh.inferences.length, 0);
  assert.equal(served.metrics.refusals.get('connections_full'), 1);
  held[0]!.destroy();
  await until(() => served.metrics.connections === 1);
  assert.equal((await served.send(http('POST', path, '{}'))).answers[0]!.status, 200);
  held[1]!.destroy();
});

test('createRouterServer closes connections whose client takes nothing of its answer', async (t) => {
  const served = await serveFake(t, { answerTimeoutMs: 200 });
  const bytes = 64 * 1024 * 1024;
  served.mesh.behaviour = ({ isComplete, observer }) => {
    if (!isComplete) return;
    observer.onReply({ headerLength: undefined, bodyBytes: bytes, inFlight: 0, latencyUs: 0 });
    observer.onPiece(Buffer.alloc(bytes / 2));
  };
  const socket = await open(served);
  socket.pause();
  socket.write(http('POST', path, '{}'));
  await until(() => served.mesh.inferences[0]?.isCancelled === true);
  assert.equal(served.metrics.refusals.get('answer_not_taken'), 1);
  socket.destroy();
});

test('createRouterServer lets a connection be that only waits for its answer', async (t) => {
  const served = await serveFake(t, { answerTimeoutMs: 50, keepAliveTimeoutMs: 50 });
  served.mesh.behaviour = (inference) => {
    if (inference.isComplete) setTimeout(() => inference.reply(Buffer.from('"late"')), 400);
  };
  const { answers } = await served.send(http('POST', path, '{}'), { settleMs: 0 });
  assert.equal(answers[0]?.body.toString(), '"late"');
});

test('RouterServer.close lets what is open come to its end and takes nothing new', async (t) => {
  const served = await serveFake(t);
  served.mesh.behaviour = () => {};
  const idle = await open(served);
  idle.write(http('GET', '/v2/health/live'));
  await once(idle, 'data');
  const silent = await open(served);
  const busy = await open(served);
  busy.write(http('POST', path, '{}'));
  await until(() => served.mesh.inferences[0]?.isComplete === true);
  const closed = served.server.close(60_000);
  await Promise.all([once(idle, 'close'), once(silent, 'close')]);
  served.mesh.inferences[0]!.reply(Buffer.from('"drained"'));
  const [bytes] = (await once(busy, 'data')) as [Buffer];
  assert.match(bytes.toString(), /Connection: close.*"drained"/s);
  await closed;
  const refused = connect({ port: Number(new URL(served.url).port), host: '127.0.0.1' });
  const [fault] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  assert.equal(fault.code, 'ECONNREFUSED');
});

test('RouterServer.close cuts what is still open when its grace is over', async (t) => {
  const served = await serveFake(t);
  served.mesh.behaviour = () => {};
  const busy = await open(served);
  busy.write(http('POST', path, '{}'));
  await until(() => served.mesh.inferences.length === 1);
  await served.server.close(20);
  await until(() => served.mesh.inferences[0]!.isCancelled);
});

test('createRouterServer shares a port among processes that say so', async (t) => {
  const first = await serveFake(t);
  const tools = { ...first.tools };
  const shared = { host: '127.0.0.1', reusePort: true };
  const one = await createRouterServer(new FakeMesh(), defaultServerOptions, tools);
  const two = await createRouterServer(new FakeMesh(), defaultServerOptions, tools);
  await one.listen({ port: 0, ...shared });
  t.after(() => one.close(0));
  await two.listen({ port: one.port, ...shared });
  t.after(() => two.close(0));
  assert.equal(one.port, two.port);
  const third = await createRouterServer(new FakeMesh(), defaultServerOptions, tools);
  await assert.rejects(third.listen({ port: one.port, host: '127.0.0.1' }), {
    code: 'settings_conflict',
    message: /^nothing can listen on port \d+ of 127\.0\.0\.1: .*EADDRINUSE/,
  });
});

test('createRouterServer serves browsers of one origin where it is told to, and of none otherwise', async (t) => {
  const preflight = (target: string) =>
    http('OPTIONS', target, undefined, {
      Origin: 'https://app.example',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type, inference-header-content-length',
    });
  const off = await serveFake(t);
  assert.equal((await off.send(preflight(path))).answers[0]!.status, 405);
  assert.equal(
    (await off.send(http('POST', path, '{}'))).answers[0]!.headers.get('access-control-allow-origin'),
    undefined,
  );

  const on = await serveFake(t, { corsOrigin: 'https://app.example' });
  const { status, headers } = (await on.send(preflight(path))).answers[0]!;
  assert.equal(status, 200);
  assert.equal(headers.get('access-control-allow-origin'), 'https://app.example');
  assert.equal(headers.get('access-control-allow-headers'), 'content-type, inference-header-content-length');
  for (const bytes of [
    http('POST', path, '{}'),
    http('POST', '/v2/models/nope/infer', '{}'),
    http('POST', path, '{}', { 'Content-Encoding': 'br' }),
    http('GET', '/v2/models/nope'),
    http('GET', '/nowhere'),
  ]) {
    const answer = (await on.send(bytes, { settleMs: 0 })).answers[0]!;
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example');
    assert.match(answer.headers.get('access-control-expose-headers')!, /Inference-Header-Content-Length/);
  }
});

test('createRouterServer serves many requests of many connections at once', async (t) => {
  const served = await serveFake(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  t.after(() => agent.destroy());
  const ask = async (i: number) => {
    const outgoing = request({ port: served.server.port, path, method: 'POST', agent });
    outgoing.end(`{"n":${i}}`);
    const [answer] = await once(outgoing, 'response');
    let text = '';
    for await (const piece of answer) text += piece;
    return text;
  };
  const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => ask(i)));
  answers.forEach((answer, i) => {
    assert.equal(answer, `{"n":${i}}`);
  });
  assert.equal(served.tools.retention.usedBytes, 0);
  assert.ok(served.metrics.connections <= 20);
});
