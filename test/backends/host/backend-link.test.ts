import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { LinkServer } from '../../../src/backends/host/link-server.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { streamWindowBytes } from '../../../src/protocol/link/connection.ts';
import { FrameType, flagEnd, frame, jsonFrame, maxDataBytes } from '../../../src/protocol/link/frame.ts';
import type { CopySpec } from '../../../src/protocol/link/messages.ts';
import { createSharedMemory } from '../../../src/protocol/native/shared-memory.ts';
import { SharedBodies, type SharedBody } from '../../../src/protocol/reads/shared-bodies.ts';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { clientBody } from '../../adapters/client-body.ts';
import { until } from '../../adapters/until.ts';
import { RecordedLink } from '../../protocol/link/recorded-link.ts';
import { ask, bodyOf, inferFrame, loaded, mebibyte, rawRouter, send, startBackend } from './linked-backend.ts';
import { turns } from './served-copy.ts';

const large = (bytes: number) => (_inputs: readonly Tensor[], wanted: readonly string[]) =>
  wanted.map((name): Tensor => {
    const text = Buffer.alloc(4 + bytes, 'x');
    text.writeUInt32LE(bytes);
    return name === 'label'
      ? { name, datatype: 'BYTES', shape: [1, 1], parts: [text], byteLength: text.length }
      : { name, datatype: 'FP32', shape: [1, 2], parts: [Buffer.alloc(8)], byteLength: 8 };
  });

function sharedBody(bodies: SharedBodies, content: Buffer): SharedBody {
  const body = bodies.take(content.length, 0)!;
  content.copy(body.bytes);
  return body;
}

describe('BackendLink', () => {
  test('answers calls and requests of a router', async (t) => {
    const backend = await startBackend(t);
    const { session, copy } = await loaded(backend, 'a', { bytes: mebibyte });
    const { answer } = ask(session, copy, bodyOf({ id: 'q' }));
    await answer.over();
    const reply = JSON.parse(Buffer.concat(answer.pieces).toString()) as { id: string; outputs: { data: unknown[] }[] };
    assert.deepEqual([reply.id, reply.outputs.map(({ data }) => data)], ['q', [[1, 2], ['a']]]);
    assert.equal((await session.describe(copy)).maxBatchSize, 8);
    assert.equal((await session.statistics('a'))[0]!.inference_count, 1);
    await session.unload(copy);
    assert.equal((await ask(session, copy, bodyOf()).answer.over()).error?.code, 'copy_gone');
    await assert.rejects(session.describe(copy), { code: 'copy_gone' });
  });

  test('keeps the link where the id of a request that fails is longer than an error frame', async (t) => {
    const backend = await startBackend(t);
    const compute = () => {
      throw new SkeinError('run_failed', { reason: 'x'.repeat(100_000) });
    };
    const { session, copy } = await loaded(backend, 'a', { bytes: mebibyte, compute });
    const { answer } = ask(session, copy, bodyOf({ id: 'i'.repeat(200_000) }));
    assert.equal((await answer.over()).error?.code, 'run_failed');
    assert.equal((await ask(session, copy, bodyOf({ id: 'short' })).answer.over()).requestId, 'short');
    assert.deepEqual(backend.reasons, []);
  });

  test('refuses a body that does not fit its memory, and has all of it back', async (t) => {
    const backend = await startBackend(t, 100_000);
    const { session, copy } = await loaded(backend, 'a', { bytes: mebibyte });
    const { error } = await ask(session, copy, bodyOf({ name: 'x'.repeat(200_000) })).answer.over();
    assert.deepEqual([error?.code, error?.mayRetry, backend.host.bodies.heldBytes], ['bodies_full', true, 0]);
    assert.ok((await ask(session, copy, bodyOf()).answer.over()).ended);
    assert.equal(backend.host.bodies.heldBytes, 0);
  });

  test('has the memory of bodies back that were given up, or whose router is gone', async (t) => {
    const backend = await startBackend(t);
    const { session, copy } = await loaded(backend, 'a', { bytes: mebibyte });
    const half = clientBody(undefined);
    const { exchange } = send(session, copy, half.body);
    half.body.push(Buffer.alloc(50_000));
    await until('the body', () => backend.host.bodies.heldBytes === 50_000);
    exchange.cancel();
    await until('its end', () => backend.host.bodies.heldBytes === 0);
    const other = clientBody(undefined);
    send(session, copy, other.body);
    other.body.push(Buffer.alloc(50_000));
    await until('the body', () => backend.host.bodies.heldBytes === 50_000);
    session.close('gone');
    await until('its end', () => backend.host.bodies.heldBytes === 0);
  });

  test('serves a request whose body was still coming when its copy began to leave', async (t) => {
    const backend = await startBackend(t);
    const { session, copy } = await loaded(backend, 'a', { bytes: mebibyte });
    const bytes = bodyOf({ id: 'q', name: 'x'.repeat(100_000) });
    const { body } = clientBody(undefined);
    const { answer } = send(session, copy, body);
    body.push(bytes.subarray(0, 50_000));
    await until('the first half', () => backend.host.bodies.heldBytes > 0);
    const unloaded = session.unload(copy);
    await until('the copy to leave', () => backend.host.snapshot().copies[0]!.phase === 'draining');
    assert.equal((await ask(session, copy, bodyOf()).answer.over()).error?.code, 'copy_gone');
    body.push(bytes.subarray(50_000));
    body.end();
    assert.ok((await answer.over()).ended);
    await unloaded;
    assert.deepEqual([backend.engine.heldBytes, backend.host.bodies.heldBytes], [0, 0]);
  });

  test('lets a copy leave whose requests are given up before they have come', async (t) => {
    const backend = await startBackend(t);
    const { session, copy } = await loaded(backend, 'a', { bytes: mebibyte });
    const { link, socket } = await rawRouter(backend);
    socket.write(Buffer.concat([inferFrame(1, copy.id), frame(FrameType.data, 1, Buffer.alloc(10))]));
    await until('a piece', () => backend.host.bodies.heldBytes === 10);
    const unloaded = session.unload(copy);
    link.link.close('gone');
    await unloaded;
    assert.equal(backend.engine.heldBytes, 0);
  });

  test('reads a body where its router has it, and gives it back with the answer', async (t) => {
    const backend = await startBackend(t);
    const bodies = new SharedBodies(createSharedMemory(mebibyte)!);
    const { session, copy } = await loaded(backend, 'a', { bytes: mebibyte }, bodies);
    const body = sharedBody(bodies, bodyOf({ id: 'q', name: 'x'.repeat(100_000) }));
    const { answer } = ask(session, copy, body.bytes);
    body.release();
    assert.ok(bodies.usedBytes > 0 && body.loans === 1);
    await answer.over();
    const reply = JSON.parse(Buffer.concat(answer.pieces).toString()) as { id: string; outputs: { data: string[] }[] };
    assert.deepEqual([reply.id, reply.outputs[1]!.data[0]!.length], ['q', 100_000]);
    assert.deepEqual([bodies.usedBytes, backend.host.bodies.heldBytes], [0, 0]);
  });

  test('gives a body that was given up back when its run has ended, and not before', async (t) => {
    const backend = await startBackend(t);
    const bodies = new SharedBodies(createSharedMemory(mebibyte)!);
    const config = 'max_batch_size: 8\ninstance_group [ { count: 1 kind: KIND_CPU } ]\n';
    const { session, copy } = await loaded(backend, 'a', { bytes: mebibyte, isSlow: true, config }, bodies);
    const body = sharedBody(bodies, bodyOf({ name: 'x'.repeat(100_000) }));
    const { exchange } = ask(session, copy, body.bytes);
    body.release();
    // Somebody wants the other answer of their run: it is not broken off.
    const { answer } = ask(session, copy, bodyOf());
    const model = backend.engine.modelOf('a');
    await until('the run', () => model.running === 1);
    const bothBytes = backend.host.bodies.heldBytes;
    exchange.cancel();
    await until('its end', () => backend.host.bodies.heldBytes < bothBytes);
    await session.statistics();
    assert.ok(bodies.usedBytes > 0, 'given away under a run');
    model.runs[0]!.finish();
    await until('its place', () => bodies.usedBytes === 0);
    assert.ok((await answer.over()).ended);
  });

  test('counts an answer that its router does not take, until it does', async (t) => {
    const backend = await startBackend(t);
    const bytes = 6 * mebibyte;
    const { session, copy } = await loaded(backend, 'a', { bytes: mebibyte, compute: large(bytes) });
    const { answer, exchange } = ask(session, copy, bodyOf());
    exchange.pause();
    await until('the window', () => answer.bytes >= streamWindowBytes);
    await turns(20);
    assert.ok(answer.bytes < 2 * streamWindowBytes, `${answer.bytes} bytes came though nobody takes them`);
    assert.ok(backend.host.bodies.heldBytes >= bytes);
    exchange.resume();
    await answer.over();
    assert.ok(answer.ended && answer.bytes === answer.announced && answer.bytes > bytes);
    await until('its memory', () => backend.host.bodies.heldBytes === 0);
  });

  test('has the memory of an answer back that nobody wants any more', async (t) => {
    const backend = await startBackend(t);
    const { session, copy } = await loaded(backend, 'a', { bytes: mebibyte, compute: large(6 * mebibyte) });
    const { answer, exchange } = ask(session, copy, bodyOf());
    exchange.pause();
    await until('the window', () => answer.bytes >= streamWindowBytes);
    exchange.cancel();
    await until('its memory', () => backend.host.bodies.heldBytes === 0);
    assert.ok(!answer.isOver);
  });

  test('holds no more than the bytes of a body that comes in drops among other traffic', async (t) => {
    assert.ok(globalThis.gc !== undefined, 'run with --expose-gc');
    const backend = await startBackend(t);
    const { copy } = await loaded(backend, 'a', { bytes: mebibyte });
    const { link, socket } = await rawRouter(backend);
    socket.write(inferFrame(1, copy.id));
    const before = await usedBytes();
    const filler = frame(FrameType.data, 99, Buffer.alloc(maxDataBytes - 100));
    for (let i = 0; i < 400; i++) {
      socket.write(Buffer.concat([frame(FrameType.data, 1, Buffer.from([i & 0xff])), filler]));
      if (i % 20 === 0) await turns(2);
    }
    await until('all drops', () => backend.host.bodies.heldBytes === 400);
    const heldBytes = (await usedBytes()) - before;
    link.link.close('done');
    assert.ok(heldBytes < 8 * mebibyte, `${heldBytes} bytes are held for 400`);
  });

  test('answers what is under way when it is drained, and lets its router have all of it', async (t) => {
    const backend = await startBackend(t);
    const bytes = 3 * mebibyte;
    const { session, copy, spec } = await loaded(backend, 'a', {
      bytes: mebibyte,
      compute: large(bytes),
      isSlow: true,
    });
    const { answer, exchange } = ask(session, copy, bodyOf());
    await until('the run', () => backend.engine.modelOf('a').running === 1);
    exchange.pause();
    let isDrained = false;
    const drained = backend.host.drain().then(async () => {
      await backend.server.close();
      isDrained = true;
    });
    await assert.rejects(session.load({ ...spec, stamp: 's2' }), { code: 'backend_draining' });
    backend.engine.modelOf('a').runs[0]!.finish();
    await until('the window', () => answer.bytes >= streamWindowBytes);
    await turns(20);
    assert.ok(!isDrained, 'ended with an answer half sent');
    exchange.resume();
    await Promise.all([answer.over(), drained]);
    assert.ok(answer.ended && answer.bytes > bytes);
    assert.deepEqual([backend.reasons, backend.engine.heldBytes], [['the backend stops'], 0]);
  });

  const faults: Record<string, (copy: number) => Buffer[]> = {
    'opens a stream twice': (copy) => [inferFrame(1, copy), inferFrame(1, copy)],
    'goes on after the end of a body': (copy) => [
      inferFrame(1, copy),
      frame(FrameType.data, 1, bodyOf(), flagEnd),
      frame(FrameType.data, 1, bodyOf(), flagEnd),
    ],
    'sends a head cut short': () => [frame(FrameType.infer, 1, Buffer.alloc(19))],
    'sends a frame that only backends send': () => [jsonFrame(FrameType.state, 0, {})],
    'calls in no JSON': () => [frame(FrameType.call, 1, Buffer.from('{'))],
  };
  for (const [what, frames] of Object.entries(faults)) {
    test(`ends the link of a router that ${what}, and no other`, async (t) => {
      const backend = await startBackend(t);
      const { session, copy } = await loaded(backend, 'a', { bytes: mebibyte, isSlow: what.startsWith('goes on') });
      const { link, socket } = await rawRouter(backend);
      link.grants = false;
      socket.write(Buffer.concat(frames(copy.id)));
      assert.match(await link.closed, /broke the rules of the link/);
      await until('the log', () => backend.reasons.length === 1);
      assert.match(backend.reasons[0]!, /broke the rules of the link/);
      const { answer } = ask(session, copy, bodyOf());
      await until('the run', () => backend.engine.modelOf('a').runs.length > 0 || answer.isOver);
      for (const run of backend.engine.modelOf('a').runs) run.finish();
      await turns();
      for (const run of backend.engine.modelOf('a').runs) run.finish();
      assert.ok((await answer.over()).ended);
      assert.equal(backend.host.bodies.heldBytes, 0);
    });
  }

  test('ends the link of a peer that is a backend', async (t) => {
    const backend = await startBackend(t);
    const link = new RecordedLink(connect(backend.path), 'backend', 'b2');
    assert.match(await link.closed, /a backend has no business with a backend/);
  });

  test('answers a call that it does not understand with an error', async (t) => {
    const backend = await startBackend(t);
    const { link } = await rawRouter(backend);
    for (const [stream, call] of [
      [1, { verb: 'dance' }],
      [2, null],
      [3, { verb: 'load' }],
    ] as const) {
      link.link.sendJson(FrameType.call, stream, call);
    }
    const results = () => link.frames.filter(({ type }) => type === FrameType.result);
    await until('three results', () => results().length === 3);
    for (const { payload } of results()) assert.ok('error' in (JSON.parse(payload) as object));
    link.link.close('done');
  });

  test('tells all routers how many requests they hold together for a copy that loads, and forgets who is gone', async (t) => {
    const { engine, host, session } = await startBackend(t);
    const gate = Promise.withResolvers<void>();
    const spec = engine.add('slow', { bytes: mebibyte, gate: gate.promise });
    const held = () => [...host.snapshot().copies][0]?.held;
    const [first, second] = [await session(), await session()];
    const load = first.load(spec);
    const lost = assert.rejects(second.load(spec));
    t.after(() => gate.resolve());
    await until('it loads', () => [...host.snapshot().copies].some(({ phase }) => phase === 'loading'));
    const copy = [...host.snapshot().copies][0]!;
    assert.equal(held(), undefined);
    await first.held!(copy, 5);
    await second.held!(copy, 7);
    assert.equal(held(), 12);
    await second.held!(copy, 1);
    assert.equal(held(), 6);
    second.close('it is gone');
    await until('its part is gone', () => held() === 5);
    gate.resolve();
    await load;
    await lost;
    assert.equal(held(), undefined, 'requests in a copy that is ready are in flight');
  });

  test('takes the place of a socket file that a dead process left', async (t) => {
    const backend = await startBackend(t);
    await backend.server.close();
    const spec: CopySpec = backend.engine.add('a', { bytes: mebibyte });
    const again = new LinkServer(backend.host, () => {});
    await again.listen(`unix:${backend.path}`);
    const session = await backend.session();
    assert.equal((await session.load(spec)).phase, 'ready');
    session.close('done');
    await again.close();
  });
});

async function usedBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!();
    await turns();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
