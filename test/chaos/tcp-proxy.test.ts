import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { TcpProxy } from './tcp-proxy.ts';

/** A server that sends everything back but the word `end`, at which it goes, behind a proxy that knows a peer by all it sends first. */
async function echoBehindProxy(t: TestContext): Promise<TcpProxy> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (piece) => (`${piece}` === 'end' ? socket.destroy() : socket.write(piece)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy = await TcpProxy.listen({ targetPort: port, peerOf: (first) => first.toString() });
  t.after(() => {
    proxy.close();
    server.close();
  });
  return proxy;
}

async function greet(t: TestContext, { port }: TcpProxy, name: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write(name);
  return socket;
}

async function heard(socket: Socket): Promise<string> {
  const [piece] = await once(socket, 'data');
  return String(piece);
}

describe('the network between members', () => {
  test('passes everything on, both ways', async (t) => {
    const proxy = await echoBehindProxy(t);
    assert.equal(await heard(await greet(t, proxy, 'r1')), 'r1');
  });

  test('holds back in silence what one peer sends while it is cut, and delivers it in order after that', async (t) => {
    const proxy = await echoBehindProxy(t);
    const [cut, other] = [await greet(t, proxy, 'r1'), await greet(t, proxy, 'r2')];
    await Promise.all([heard(cut), heard(other)]);
    proxy.disturb({ kind: 'silent' }, 'r1');
    let received = '';
    cut.on('data', (piece) => {
      received += piece;
    });
    cut.write('a');
    other.write('b');
    assert.equal(await heard(other), 'b');
    cut.write('c');
    other.write('d');
    assert.equal(await heard(other), 'd');
    assert.equal(received, '');
    proxy.disturb(undefined, 'r1');
    while (received.length < 2) await once(cut, 'data');
    assert.equal(received, 'ac');
  });

  test('resets connections, new ones too, until it is whole again', async (t) => {
    const proxy = await echoBehindProxy(t);
    const first = await greet(t, proxy, 'r1');
    await heard(first);
    proxy.disturb({ kind: 'reset' });
    for (const socket of [first, await greet(t, proxy, 'r1')]) {
      const [fault] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      assert.equal(fault.code, 'ECONNRESET');
    }
    proxy.disturb(undefined);
    assert.equal(await heard(await greet(t, proxy, 'r1')), 'r1');
  });

  test('passes on that the other end is gone', async (t) => {
    const socket = await greet(t, await echoBehindProxy(t), 'r1');
    await heard(socket);
    socket.write('end');
    await once(socket, 'close');
    assert.ok(socket.destroyed);
  });
});
