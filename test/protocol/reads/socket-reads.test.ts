import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { readInto } from '../../../src/protocol/reads/socket-reads.ts';

/** Both ends of a connection; the first is the server's. */
async function pair(t: TestContext): Promise<[Socket, Socket]> {
  const server: Server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const client = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1' });
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.after(() => socket.destroy());
  t.after(() => client.destroy());
  return [socket, client];
}

/** Reads into buffers of 1,000 bytes, turn and turn about. */
class Recorded {
  readonly buffers = [Buffer.alloc(1_000), Buffer.alloc(1_000)];
  readonly used: Buffer[] = [];
  received = Buffer.alloc(0);
  #next = 0;

  nextBuffer(): Buffer {
    return this.buffers[this.#next++ % 2]!;
  }

  onRead(buffer: Buffer, bytes: number): void {
    this.used.push(buffer);
    this.received = Buffer.concat([this.received, buffer.subarray(0, bytes)]);
  }
}

describe('readInto', () => {
  test('works on the Node that this is, and reads into the buffers of its target', async (t) => {
    const [socket, client] = await pair(t);
    const target = new Recorded();
    assert.equal(readInto(socket, target), true);
    const sent = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));
    client.end(sent);
    await once(socket, 'end');
    assert.deepEqual(target.received, sent);
    assert.deepEqual(new Set(target.used), new Set(target.buffers));
    assert.equal(socket.bytesRead, sent.length);
  });

  test('reads nothing while the socket is paused', async (t) => {
    const [socket, client] = await pair(t);
    const target = new Recorded();
    readInto(socket, target);
    client.write('first');
    while (target.received.length < 5) await new Promise((resolve) => setImmediate(resolve));
    socket.pause();
    client.write('second');
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.equal(target.received.toString(), 'first');
    socket.resume();
    while (target.received.length < 11) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(target.received.toString(), 'firstsecond');
  });
});
