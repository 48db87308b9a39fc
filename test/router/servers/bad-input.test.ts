/** What no client should send, at the level of HTTP: each gets a 4xx that says why, and the server goes on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { barrage, bomb, path } from './bad-requests.ts';
import { http, type Served, serveFake, until } from './serve-fake.ts';

const quick = { headersTimeoutMs: 200, bodyTimeoutMs: 200 };

describe('the router server, sent nonsense', () => {
  for (const { name, request, status, message, goesOn } of barrage) {
    test(`answers ${status} to ${name}`, async (t) => {
      const served = await serveFake(t, { ...quick, maxBodyBytes: 1_000_000 });
      const { answers } = await served.send(request, { settleMs: 0 });
      assert.equal(answers[0]?.status, status);
      assert.match(answers[0]!.body.toString(), message);
      assert.doesNotThrow(() => JSON.parse(answers[0]!.body.toString()));
      if (goesOn === true) assert.notEqual(answers[0]!.headers.get('connection'), 'close');
      else assert.equal(answers[0]!.headers.get('connection'), 'close');
      await until(() => served.tools.retention.usedBytes === 0);
      await isWell(served);
    });
  }

  test('answers a body that ends before its length with the client still listening', async (t) => {
    const served = await serveFake(t);
    const socket = connect({ port: served.server.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(http('POST', path, 'abc', { 'Content-Length': '10' }));
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    assert.match(bytes.toString(), /^HTTP\/1\.1 400 .*body ended before the announced length/s);
    socket.destroy();
    await isWell(served);
  });

  test('lets the answers to whole requests out before it answers what follows them', async (t) => {
    const served = await serveFake(t);
    served.mesh.behaviour = (inference) => {
      if (inference.isComplete) setTimeout(() => inference.reply(Buffer.from('"well"')), 20);
    };
    const { answers, connection } = await served.send(
      Buffer.concat([http('POST', path, 'a'), Buffer.from('garbage\r\n\r\n')]),
      {
        settleMs: 200,
      },
    );
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200, 400],
    );
    assert.equal(answers[0]!.body.toString(), '"well"');
    assert.equal(connection, 'closed');
  });

  test('gives its answer to a client that sends 100 MB before it reads', async (t) => {
    const served = await serveFake(t);
    const socket = connect({ port: served.server.port, host: '127.0.0.1' });
    const answered = once(socket, 'data') as Promise<[Buffer]>;
    socket.pause();
    socket.write(http('POST', path, undefined, { 'Content-Length': '100000000' }));
    for (let sent = 0; sent < 100; sent++) if (!socket.write(Buffer.alloc(1_000_000))) await once(socket, 'drain');
    socket.resume();
    const [bytes] = await answered;
    assert.match(bytes.toString(), /^HTTP\/1\.1 400 .*100000000 bytes, at most 67108864 are taken/s);
    socket.destroy();
    await isWell(served);
  });

  test('decompresses no more of a bomb than it takes', async (t) => {
    const served = await serveFake(t, { maxBodyBytes: 1_000_000 });
    await served.send(http('POST', path, bomb, { 'Content-Encoding': 'gzip' }), { settleMs: 0 });
    const { receivedBytes } = served.mesh.inferences[0]!;
    assert.ok(receivedBytes <= 1_000_000, `${receivedBytes} bytes went on to the mesh`);
    assert.ok(served.mesh.inferences[0]!.isAborted);
  });

  test('takes any type of content, and any query', async (t) => {
    const served = await serveFake(t);
    for (const type of ['text/plain', ';;;', 'application/json; charset=utf-16', 'multipart/form-data']) {
      for (const target of [path, '/v2/repository/index?a=%zz&b']) {
        const { answers } = await served.send(http('POST', target, '{}', { 'Content-Type': type }), { settleMs: 0 });
        assert.equal(answers[0]?.status, 200, `${type} to ${target}`);
      }
    }
  });

  test('closes a connection that says nothing, without a word', async (t) => {
    const { server } = await serveFake(t, quick);
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    const received: Buffer[] = [];
    socket.on('data', (bytes) => received.push(bytes));
    await once(socket, 'close');
    assert.equal(received.length, 0);
  });

  test('does not hold a pause of its own against the client', async (t) => {
    const { mesh, server } = await serveFake(t, quick);
    mesh.takesBytes = 1;
    mesh.behaviour = (inference) => {
      if (inference.isComplete) inference.reply(Buffer.from('"in the end"'));
    };
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    t.after(() => socket.destroy());
    socket.write(http('POST', path, Buffer.alloc(4_000_000)));
    await until(() => mesh.inferences.length === 1 && mesh.inferences[0]!.receivedBytes > 0);
    await new Promise((resolve) => setTimeout(resolve, 3 * quick.bodyTimeoutMs));
    mesh.takesBytes = Number.POSITIVE_INFINITY;
    mesh.inferences[0]!.request.body.resume();
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    assert.match(bytes.toString(), /in the end/);
  });
});

/** The next good request is served. */
async function isWell({ mesh, send }: Served): Promise<void> {
  mesh.behaviour = (inference) => inference.isComplete && inference.reply(Buffer.from('"well"'));
  const { answers } = await send(http('POST', path, '{}'), { settleMs: 0 });
  assert.equal(answers[0]?.body.toString(), '"well"');
}
