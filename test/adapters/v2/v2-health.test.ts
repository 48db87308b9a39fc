import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { atRest, until } from '../until.ts';
import { startFakeV2Server } from './fake-v2-server.ts';
import { openSession } from './open-session.ts';
import { quickOptions } from './quick-options.ts';

/** So rarely probed that only something else can have shown what became of the server. */
const rarely = { health: { ...quickOptions.health, intervalMs: 1_000_000, retryMs: 0 } };

describe('V2Session', () => {
  test('learns of a death from the connections that end with it, and fails requests at once', async (t) => {
    const { server, backend, send } = await openSession(t, {}, rarely);
    await server.die();
    await until('the news', () => backend.isStalled);
    assert.match(backend.stalls[0]?.reason ?? '', /ECONNREFUSED/);
    const { reply } = send();
    assert.equal(reply.isOver, false);
    await reply.over;
    assert.match(reply.error?.message ?? '', /^the connection to backend 'fake' ended: .*ECONNREFUSED/);
    assert.ok(reply.error?.mayRetry);
  });

  test('fails what waits for a connection when it ejects the server', async (t) => {
    const { server, backend, send } = await openSession(t, {}, { connections: 1, probeTimeoutMs: 20 });
    server.behave({ kind: 'silent' });
    const { reply: sent } = send();
    await until('the request', () => server.seen.length === 1);
    const { reply: waiting } = send();
    server.freeze(true);
    await until('the ejection', () => backend.isStalled);
    await until('the one that waited', () => waiting.isOver);
    assert.equal(waiting.error?.code, 'link_broken');
    assert.equal(sent.isOver, false); // it may be answered yet
  });

  test('ejects a server that accepts connections and says nothing, and readmits it when it speaks', async (t) => {
    const { server, backend, send } = await openSession(t, {}, { probeTimeoutMs: 20 });
    server.freeze(true);
    await until('the ejection', () => backend.isStalled);
    assert.match(backend.stalls[0]?.reason ?? '', /no answer to GET \/v2\/health\/ready within 20 ms/);
    server.freeze(false);
    await until('the readmission', () => !backend.isStalled);
    const { reply } = send();
    await reply.over;
    assert.equal(reply.error, undefined);
    assert.deepEqual(
      backend.stalls.map(({ stalled }) => stalled),
      [true, false],
    );
  });

  test('does not eject a server that is slow to say that it lives while it answers requests', async (t) => {
    const { server, backend, send } = await openSession(t, {}, { probeTimeoutMs: 30 });
    server.answers.set('/v2/health/ready', () => {});
    for (let n = 0; n < 30; n++) {
      await send().reply.over;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(backend.stalls.length, 0);
  });

  test('knows the models of what came back before it readmits it', async (t) => {
    const { server, backend } = await openSession(t);
    await server.die();
    await until('the ejection', () => backend.isStalled);
    const models = { first: backend.isReady('first'), third: backend.isReady('third') };
    assert.deepEqual(models, { first: true, third: false }); // what was known stays known meanwhile
    const successor = await startFakeV2Server({ port: server.port, models: ['second', 'third'] });
    t.after(() => successor.die());
    let known: unknown;
    const onStalled = backend.onStalled.bind(backend);
    backend.onStalled = (stalled, reason) => {
      known = [...backend.copies.values()].map(({ model, phase }) => `${model} ${phase}`);
      onStalled(stalled, reason);
    };
    await until('the readmission', () => !backend.isStalled);
    assert.deepEqual(known, ['second ready', 'third ready']);
  });

  test('takes 400 of a server as a sign of life, and 503 of what stands before it as none', async (t) => {
    const { server, backend } = await openSession(t);
    let status = 400;
    let probes = 0;
    server.answers.set('/v2/health/ready', (_request, response) => {
      probes += 1;
      response.writeHead(status).end();
    });
    await until('three probes', () => probes === 3);
    assert.equal(backend.stalls.length, 0);
    status = 503;
    await until('the ejection', () => backend.isStalled);
    assert.match(backend.stalls[0]?.reason ?? '', /HTTP status 503/);
  });

  test('asks nothing more of a server once it is closed', async (t) => {
    const { server, session } = await openSession(t);
    session.close('enough');
    await atRest(() => server.asked.length);
    const asked = server.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(server.asked.length, asked);
  });
});
