import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { SharedBodies } from '../../../src/protocol/reads/shared-bodies.ts';
import type { MeshRequest } from '../../../src/router/mesh/mesh-port.ts';
import { seededRandom } from '../../fixtures/random.ts';
import type { FakeInference } from './fake-mesh.ts';
import { http, serveFake, until } from './serve-fake.ts';
import { converse, type Received } from './strict-client.ts';
import { randomConversation, randomCuts } from './strict-requests.ts';

const path = '/v2/models/simple/infer';
const quick = { headersTimeoutMs: 400, bodyTimeoutMs: 400, maxBodyBytes: 250_000 };
const conversations = 400;
const lanes = 24;

/** Says what it was asked, so that an answer shows whether two servers understood the same. */
function tellBack(inference: FakeInference): void {
  if (!inference.isComplete) return;
  const { model, version, headerLength, timeoutMs, traceparent } = inference.request;
  const body = createHash('sha256').update(inference.body).digest('hex');
  const bytes = inference.receivedBytes;
  const told = Buffer.from(JSON.stringify({ model, version, headerLength, timeoutMs, traceparent, bytes, body }));
  // At times large enough to be streamed.
  inference.reply(bytes % 7 === 0 ? Buffer.concat([told, Buffer.alloc(400_000, 32)]) : told, headerLength);
}

describe('the strict reader', () => {
  test('answers as node:http does, byte for byte, whatever it is sent', async (t) => {
    const strict = await serveFake(t, quick);
    const node = await serveFake(t, { ...quick, readsStrictly: false });
    for (const { mesh } of [strict, node]) mesh.behaviour = tellBack;
    const random = seededRandom(20_241_123);
    let left = conversations;
    const differences: string[] = [];
    const lane = async () => {
      while (left-- > 0) {
        const bytes = randomConversation(random);
        const conversation = { pieces: randomCuts(bytes, random), halfClose: random() < 0.1 };
        const [ours, theirs] = await Promise.all([
          converse(strict.server.port, conversation, 5_000),
          converse(node.server.port, conversation, 5_000),
        ]);
        if (isSame(ours, theirs)) continue;
        const sizes = conversation.pieces.map((piece) => piece.length);
        const sent = `${sizes} ${conversation.halfClose}: ${JSON.stringify(bytes.toString('latin1').slice(0, 900))}`;
        differences.push(`${sent}\n strict ${show(ours)}\n node   ${show(theirs)}`);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    assert.deepEqual(
      differences,
      [],
      `${differences.length} differences, such as\n${differences.slice(0, 3).join('\n')}`,
    );
    await until(() => strict.tools.retention.usedBytes === 0 && strict.metrics.connections === 0);
  });

  test('reads requests one after the other, however they are cut', async (t) => {
    const { mesh, server } = await serveFake(t);
    const bytes = Buffer.concat([http('POST', path, 'one'), http('POST', path, 'two')]);
    for (let cut = 1; cut < bytes.length; cut += 7) {
      const pieces = [
        bytes.subarray(0, cut),
        bytes.subarray(cut),
        http('GET', '/v2', undefined, { Connection: 'close' }),
      ];
      const { text } = await converse(server.port, { pieces, halfClose: false }, 5_000);
      assert.match(text, /one.*two.*"name":"skein"/s, `cut at ${cut}`);
    }
    assert.ok(mesh.inferences.length > 10);
  });

  test('holds only so much of what comes before its answer', async (t) => {
    const { mesh, server } = await serveFake(t);
    mesh.behaviour = () => {};
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    t.after(() => socket.destroy());
    socket.write(http('POST', path, 'first'));
    await until(() => mesh.inferences.length === 1);
    // Far more than what the system's own buffers take.
    const flood = Buffer.alloc(64 * 1024 * 1024, 65);
    socket.write(http('POST', path, flood));
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(socket.writableLength > flood.length / 2, 'the server has read it all');
    mesh.behaviour = (inference) => inference.isComplete && inference.reply(Buffer.from('"second"'));
    mesh.inferences[0]!.reply(Buffer.from('"first"'));
    const received: Buffer[] = [];
    socket.on('data', (piece) => received.push(piece));
    await until(() => Buffer.concat(received).includes('"second"'));
    assert.equal(mesh.inferences[1]!.receivedBytes, flood.length);
  });

  test('closes connections that are idle for longer than their answers say', async (t) => {
    const { server } = await serveFake(t, { keepAliveTimeoutMs: 100 });
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    socket.write(http('POST', path, '{}'));
    await once(socket, 'data');
    await once(socket, 'close');
  });

  for (const readsStrictly of [true, false]) {
    const reader = readsStrictly ? 'the strict reader' : 'node:http';
    test(`cuts off a body that comes steadily and never ends: ${reader}`, async (t) => {
      const { mesh, server, metrics } = await serveFake(t, {
        wholeRequestMs: 300,
        headersTimeoutMs: 300,
        readsStrictly,
      });
      mesh.behaviour = () => {};
      const socket = connect({ port: server.port, host: '127.0.0.1' });
      const received: Buffer[] = [];
      socket.on('data', (piece) => received.push(piece)).on('error', () => {});
      socket.write(http('POST', path, 'begins', { 'Content-Length': '100000' }));
      const drip = setInterval(() => socket.writable && socket.write('x'), 20);
      await once(socket, 'close');
      clearInterval(drip);
      assert.match(Buffer.concat(received).toString(), /^HTTP\/1\.1 408 Request Timeout.*Connection: close/s);
      await until(() => mesh.inferences[0]!.isCancelled);
      assert.deepEqual([...metrics.refusals], [['http_too_slow', 1]]);
    });
  }

  test('tells the mesh when a client leaves before its answer', async (t) => {
    const { mesh, server, metrics } = await serveFake(t);
    mesh.behaviour = () => {};
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    socket.write(http('POST', path, '{}'));
    await until(() => mesh.inferences.length === 1);
    socket.destroy();
    await until(() => mesh.inferences[0]!.isCancelled);
    assert.equal(metrics.errors.get('cancelled'), 1);
    assert.equal(metrics.connections, 0);
  });

  test('reads the rest of a refused body nowhere where the next body is', async (t) => {
    const sharedBodies = new SharedBodies({ path: '', bytes: Buffer.alloc(2 * 1024 * 1024) });
    const { mesh, server } = await serveFake(t, {}, { sharedBodies });
    const held: { request: MeshRequest; refuse: () => void }[] = [];
    // As for a model that loads: nobody is sent the body.
    mesh.infer = (request, observer) => {
      held.push({ request, refuse: () => observer.onError(new SkeinError('hold_full')) });
      return { cancel: () => {}, pause: () => {}, resume: () => {} };
    };
    const open = () => {
      const socket = connect({ port: server.port, host: '127.0.0.1', noDelay: true });
      t.after(() => socket.destroy());
      return socket;
    };
    const [first, second] = [open(), open()];
    const bytes = 400_000;
    const begun = http('POST', path, Buffer.alloc(bytes, 'a'));
    const sent = begun.length - bytes + 100_000;
    first.write(begun.subarray(0, sent));
    await until(() => held[0]?.request.body.receivedBytes === 100_000);
    held[0]!.refuse();
    await once(first, 'data');
    second.write(http('POST', path, Buffer.alloc(bytes, 'b')));
    await until(() => held[1]?.request.body.isComplete === true);
    first.write(begun.subarray(sent));
    first.write(http('POST', path, 'next'));
    await until(() => held.length === 3);
    const body = Buffer.concat(held[1]!.request.body.pieces);
    assert.equal(body.indexOf('a'), -1, 'one client reads what another one sent');
    assert.equal(body.length, bytes);
    held[1]!.refuse();
    assert.equal(sharedBodies.usedBytes, 0);
  });

  test('lets go of what is taken of a body that is over the bound of those that are kept', async (t) => {
    const retention = { usedBytes: 0, limitBytes: 64 * 1024 * 1024, perRequestBytes: 1024 * 1024 };
    const { mesh, server } = await serveFake(t, {}, { retention });
    let taken = 0;
    mesh.infer = (request) => {
      request.body.attach({
        onPiece: (piece) => {
          taken += piece.byteLength;
          return true;
        },
        onAborted: () => {},
      });
      return { cancel: () => {}, pause: () => {}, resume: () => {} };
    };
    const bytes = 32 * 1024 * 1024;
    const body = Buffer.alloc(bytes - 1, 'a');
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    t.after(() => socket.destroy());
    const before = heldBytes();
    socket.write(http('POST', path, '', { 'Content-Length': String(bytes) }));
    socket.write(body);
    await until(() => taken === body.length);
    const held = heldBytes() - before;
    assert.ok(held < bytes / 4, `${held} bytes are held of ${bytes}`);
  });

  test('sends a large answer at the pace of its client', async (t) => {
    const { mesh, server } = await serveFake(t);
    mesh.behaviour = ({ isComplete, observer }) => {
      if (!isComplete) return;
      observer.onReply({ headerLength: undefined, bodyBytes: 32_000_000, inFlight: 0, latencyUs: 0 });
      observer.onPiece(Buffer.alloc(16_000_000, 65));
    };
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    t.after(() => socket.destroy());
    socket.pause();
    socket.write(http('POST', path, '{}'));
    await until(() => mesh.inferences[0]?.pauses === 1);
    let bytes = 0;
    socket.on('data', (piece) => {
      bytes += piece.length;
    });
    socket.resume();
    await until(() => mesh.inferences[0]!.resumes === 1);
    mesh.inferences[0]!.observer.onPiece(Buffer.alloc(16_000_000, 66));
    mesh.inferences[0]!.observer.onEnd();
    await until(() => bytes > 32_000_000);
  });
});

/** In buffers, by whoever can still be reached. */
/** What a collection frees is given back beside it, and is counted when the next one begins. */
function heldBytes(): number {
  globalThis.gc!();
  globalThis.gc!();
  return process.memoryUsage().arrayBuffers;
}

/** A reset takes away what its client has not read yet: how much of the answers that is, is chance. */
function isSame(ours: Received, theirs: Received): boolean {
  if (ours.end !== 'reset' && theirs.end !== 'reset') return ours.text === theirs.text && ours.end === theirs.end;
  return ours.text.startsWith(theirs.text) || theirs.text.startsWith(ours.text);
}

function show({ text, end }: Received): string {
  const shown = `${end} ${text.length} ${JSON.stringify(text)}`;
  return shown.length > 900 ? `${shown.slice(0, 500)} … ${shown.slice(-400)}` : shown;
}
