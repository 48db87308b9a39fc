import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SkeinError } from '../../../../src/protocol/errors.ts';
import type { MeshRequest } from '../../../../src/router/mesh/mesh-port.ts';
import { FrontMetrics } from '../../../../src/router/metrics/front-metrics.ts';
import { ModelLabels } from '../../../../src/router/metrics/model-labels.ts';
import { createGrpcServer } from '../../../../src/router/servers/grpc/grpc-server.ts';
import { tfservingMethods } from '../../../../src/router/servers/grpc/tfserving-methods.ts';
import { defaultServerOptions, type ServerOptions } from '../../../../src/router/servers/server-options.ts';
import { message, predictRequest, writeSpec } from '../../../protocol/tfserving/sent-messages.ts';
import { FakeMesh } from '../fake-mesh.ts';
import { until } from '../serve-fake.ts';
import { call, frame, open, session } from './grpc-client.ts';
import { noReloads } from './no-reloads.ts';

const predict = '/tensorflow.serving.PredictionService/Predict';

async function serveGrpc(t: TestContext, options: Partial<ServerOptions> = {}) {
  const mesh = new FakeMesh();
  const tools = {
    retention: { usedBytes: 0, limitBytes: 64 * 1024 * 1024, perRequestBytes: 8 * 1024 * 1024 },
    metrics: new FrontMetrics(new ModelLabels(100)),
    log: () => {},
  };
  const server = createGrpcServer(
    mesh,
    { ...defaultServerOptions, ...options },
    tools,
    tfservingMethods(mesh, noReloads),
  );
  await server.listen({ port: 0, host: '127.0.0.1' });
  const client = await session(`http://127.0.0.1:${server.port}`);
  t.after(async () => {
    client.destroy();
    await server.close(0);
  });
  return { mesh, server, client, ...tools };
}

const tensorOf = (bytes: Uint8Array) =>
  ({ name: 'x', datatype: 'UINT8', shape: [bytes.byteLength], parts: [bytes], byteLength: bytes.byteLength }) as const;
const small = predictRequest([tensorOf(Buffer.from('abc'))], { name: 'simple' });

describe('the gRPC server', () => {
  test('passes a request on as it came, and the answer back', async (t) => {
    const { mesh, client, metrics } = await serveGrpc(t);
    const answer = await call(client, predict, small, { 'grpc-timeout': '5S' });
    assert.deepEqual([answer.status, answer.message], [0, small]);
    const { model, version, dialect, timeoutMs } = mesh.inferences[0]!.request;
    assert.deepEqual([model, version, dialect, timeoutMs], ['simple', undefined, 'tfPredict', 5_000]);
    assert.equal(metrics.models.size, 1);
  });

  for (const bytes of [100_000, 2_000_000]) {
    test(`ends a call whose client takes nothing of its answer of ${bytes} bytes, and none of those beside it`, async (t) => {
      const { client, server, metrics } = await serveGrpc(t, { answerTimeoutMs: 100 });
      const request = predictRequest([tensorOf(Buffer.alloc(bytes))], { name: 'simple' });
      const deaf = connect(`http://127.0.0.1:${server.port}`, { settings: { initialWindowSize: 1_000 } });
      t.after(() => deaf.destroy());
      const calls = [1, 2, 3].map(() => open(deaf, predict));
      for (const { stream } of calls) stream.pause().end(frame(request));
      await Promise.all(calls.map(({ stream }) => once(stream, 'response')));
      const beside = open(client, predict);
      beside.stream.write(frame(request).subarray(0, 50_000));
      for (const { answer } of calls) assert.equal((await answer).status, undefined);
      assert.equal(metrics.refusals.get('answer_not_taken'), calls.length);
      beside.stream.end(frame(request).subarray(50_000));
      assert.deepEqual([(await beside.answer).status, (await beside.answer).message], [0, request]);
    });
  }

  test('ends such a call also where others of its connection go on, later', async (t) => {
    const { client, metrics } = await serveGrpc(t, { answerTimeoutMs: 20 });
    const deaf = open(client, predict);
    deaf.stream.removeAllListeners('data').pause();
    deaf.stream.end(frame(predictRequest([tensorOf(Buffer.alloc(2_000_000))], { name: 'simple' })));
    const isEnded = () => metrics.refusals.get('answer_not_taken') === 1;
    let answered = 0;
    const busy = predictRequest([tensorOf(Buffer.alloc(40_000))], { name: 'simple' });
    for (; !isEnded(); answered++) assert.equal((await call(client, predict, busy)).status, 0);
    assert.ok(answered > 0);
  });

  test('carries messages larger than any window, both ways', async (t) => {
    const { client, retention } = await serveGrpc(t);
    const bytes = Buffer.alloc(5_000_000, 'abcdefg');
    const request = message((writer) => {
      writer.message(1, (spec) => writeSpec(spec, { name: 'simple' }));
      writer.bytes(15, [bytes]);
    });
    const answer = await call(client, predict, request);
    assert.deepEqual([answer.status, answer.message.equals(request)], [0, true]);
    assert.equal(retention.usedBytes, 0);
  });

  test('serves a version, and a label for one', async (t) => {
    const { mesh, client } = await serveGrpc(t);
    await call(client, predict, predictRequest([], { name: 'multi_version', version: 3 }));
    await call(client, predict, predictRequest([], { name: 'multi_version', label: 'stable' }));
    assert.deepEqual(
      mesh.inferences.map(({ request }) => request.version),
      [3, 1],
    );
    const { status, text } = await call(client, predict, predictRequest([], { name: 'simple', label: 'none' }));
    assert.deepEqual([status, text], [3, 'Unrecognized servable version label: none']);
  });

  test('takes compressed messages', async (t) => {
    const { client } = await serveGrpc(t);
    const { stream, answer } = open(client, predict, { 'grpc-encoding': 'gzip' });
    stream.end(frame(gzipSync(small), 1));
    assert.deepEqual([(await answer).status, (await answer).message], [0, small]);
  });

  test('decompresses no more of a message than is taken or may be kept', async (t) => {
    const { mesh, client } = await serveGrpc(t);
    // As for a model that loads: nobody takes the message yet.
    const held: MeshRequest[] = [];
    mesh.infer = (request) => {
      held.push(request);
      return { cancel: () => {}, pause: () => {}, resume: () => {} };
    };
    const bytes = 32 * 1024 * 1024;
    const large = predictRequest([tensorOf(new Uint8Array(bytes))], { name: 'simple' });
    const { stream } = open(client, predict, { 'grpc-encoding': 'gzip' });
    stream.end(frame(gzipSync(large), 1));
    await until(() => (held[0]?.body.receivedBytes ?? 0) > 7 * 1024 * 1024);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(held[0]!.body.receivedBytes < bytes / 2, `${held[0]!.body.receivedBytes} bytes of ${bytes}`);
    const taken: Uint8Array[] = [];
    const whole = Promise.withResolvers<void>();
    held[0]!.body.attach({
      onPiece: (piece, end) => {
        taken.push(piece);
        if (end) whole.resolve();
        return true;
      },
      onAborted: () => {},
    });
    await whole.promise;
    assert.ok(Buffer.concat(taken).equals(large));
  });

  const broken: [title: string, bytes: Buffer, headers: Record<string, string>, status: number, text: RegExp][] = [
    ['is corrupt', Buffer.from('this is no gzip'), { 'grpc-encoding': 'gzip' }, 3, /gzip/],
    ['is cut short', gzipSync(small).subarray(0, -9), { 'grpc-encoding': 'gzip' }, 3, /gzip/],
    ['does not say how', gzipSync(small), {}, 3, /grpc-encoding/],
    ['grows too large', gzipSync(Buffer.alloc(3_000_000)), { 'grpc-encoding': 'gzip' }, 8, /decompresses to/],
  ];
  for (const [title, bytes, headers, status, text] of broken) {
    test(`refuses a compressed message that ${title}`, async (t) => {
      const { client } = await serveGrpc(t, { maxBodyBytes: 1_000_000 });
      const { stream, answer } = open(client, predict, headers);
      stream.end(frame(bytes, 1));
      assert.equal((await answer).status, status);
      assert.match((await answer).text, text);
      assert.equal((await call(client, predict, small)).status, 0);
    });
  }

  test('holds messages whose model comes last within the bound of all bodies', async (t) => {
    const { mesh, client, retention } = await serveGrpc(t);
    retention.limitBytes = 300_000;
    const late = message((writer) => {
      writer.bytes(15, [Buffer.alloc(200_000)]);
      writer.message(1, (spec) => writeSpec(spec, { name: 'simple' }));
    });
    const slow = open(client, predict);
    slow.stream.write(frame(late).subarray(0, 200_000));
    await until(() => retention.usedBytes > 200_000);
    const refused = await call(client, predict, late);
    assert.equal(refused.status, 14);
    assert.match(refused.text, /ModelSpec is not the first field.*setting retry-pool/);
    assert.equal((await call(client, predict, small)).status, 0, 'told at its beginning');
    slow.stream.end(frame(late).subarray(200_000));
    assert.deepEqual((await slow.answer).message, late);
    assert.equal((await call(client, predict, late)).status, 0);
    const left = open(client, predict);
    left.stream.write(frame(late).subarray(0, 200_000));
    await until(() => retention.usedBytes > 200_000);
    left.stream.destroy();
    await until(() => retention.usedBytes === 0);
    assert.equal(mesh.inferences.length, 3);
  });

  test('takes a message byte by byte', async (t) => {
    const { client } = await serveGrpc(t);
    const { stream, answer } = open(client, predict);
    for (const byte of frame(small)) stream.write(Buffer.of(byte));
    stream.end();
    assert.deepEqual([(await answer).status, (await answer).message], [0, small]);
  });

  const refusals: [
    title: string,
    path: string,
    body: Uint8Array,
    headers: Record<string, string>,
    status: number,
    text: RegExp,
  ][] = [
    [
      'a model that is not there',
      predict,
      predictRequest([], { name: 'half' }),
      {},
      5,
      /^Servable not found for request: Latest\(half\)$/,
    ],
    [
      'a method that is not there',
      '/tensorflow.serving.PredictionService/Guess',
      small,
      {},
      12,
      /Guess is not served here/,
    ],
    ['a request without a model', predict, Buffer.alloc(0), {}, 3, /^Missing ModelSpec$/],
    ['a model without a name', predict, predictRequest([], { name: '' }), {}, 3, /^ModelSpec has no name specified\.$/],
    ['a time-out that is none', predict, small, { 'grpc-timeout': 'soon' }, 3, /grpc-timeout is 'soon'/],
    ['what is no protobuf', predict, Buffer.from([0x0a, 0xff, 0xff]), {}, 3, /not well-formed protobuf/],
  ];
  for (const [title, path, body, headers, status, text] of refusals) {
    test(`refuses ${title}`, async (t) => {
      const { client } = await serveGrpc(t);
      const answer = await call(client, path, body, headers);
      assert.equal(answer.status, status);
      assert.match(answer.text, text);
      assert.equal((await call(client, predict, small)).status, 0);
    });
  }

  test('refuses a message over the limit before it has come', async (t) => {
    const { client } = await serveGrpc(t, { maxBodyBytes: 1_000 });
    const { stream, answer } = open(client, predict);
    stream.write(frame(new Uint8Array(10_000)).subarray(0, 50));
    const { status, text } = await answer;
    assert.equal(status, 8);
    assert.match(text, /10000 bytes, at most 1000/);
  });

  test('refuses framing that is none, and a call that ends early', async (t) => {
    const { client } = await serveGrpc(t);
    const wrong = open(client, predict);
    wrong.stream.end(frame(small, 7));
    assert.deepEqual([(await wrong.answer).status], [3]);
    const short = open(client, predict);
    short.stream.end(frame(small).subarray(0, 12));
    assert.deepEqual([(await short.answer).status], [3]);
  });

  test('gives up a body that stops coming', async (t) => {
    const { mesh, client } = await serveGrpc(t, { bodyTimeoutMs: 100 });
    const { stream, answer } = open(client, predict);
    const large = predictRequest([tensorOf(new Uint8Array(200_000))], { name: 'simple' });
    stream.write(frame(large).subarray(0, 100_000));
    assert.match((await answer).text, /stopped short/);
    await mesh.inferences[0]!.ended.promise;
  });

  test('tells of errors in the words of the method', async (t) => {
    const { mesh, client } = await serveGrpc(t);
    const signature = new SkeinError('signature_unknown', { model: 'simple', signature: 's', known: '' });
    mesh.behaviour = (inference) => inference.observer.onError(signature);
    const answer = await call(client, predict, small);
    assert.deepEqual([answer.status, answer.text], [9, 'Serving signature key "s" not found.']);
    mesh.behaviour = (inference) =>
      inference.observer.onError(new SkeinError('model_loading', { model: 'm', seconds: 2, retryAfterSeconds: 2 }));
    const later = await call(client, predict, small);
    assert.deepEqual([later.status, later.headers['grpc-retry-pushback-ms']], [14, '2000']);
  });

  test('cancels what its client gives up', async (t) => {
    const { mesh, client } = await serveGrpc(t);
    mesh.behaviour = () => {};
    const { stream } = open(client, predict);
    stream.end(frame(small));
    await until(() => mesh.inferences.length === 1);
    stream.close(8);
    await mesh.inferences[0]!.ended.promise;
    assert.ok(mesh.inferences[0]!.isCancelled);
  });

  test('cancels what its client gives up without a fault while its message is not read', async (t) => {
    const { mesh, client } = await serveGrpc(t);
    mesh.behaviour = () => {};
    mesh.takesBytes = 1;
    const { stream } = open(client, predict);
    const large = predictRequest([tensorOf(new Uint8Array(400_000))], { name: 'simple' });
    stream.write(frame(large).subarray(0, 300_000));
    await until(() => (mesh.inferences[0]?.receivedBytes ?? 0) > 0);
    stream.close(0);
    await until(() => mesh.inferences[0]!.isCancelled);
    mesh.inferences[0]!.observer.onError(new SkeinError('queue_full'));
    mesh.takesBytes = Infinity;
  });

  test('stops the answer of a slow client, and goes on when it reads', async (t) => {
    const { mesh, client } = await serveGrpc(t);
    const { stream, answer } = open(client, predict);
    stream.pause();
    const bytes = 16 * 1024 * 1024;
    mesh.behaviour = ({ observer, isComplete }) => {
      if (!isComplete) return;
      observer.onReply({ headerLength: undefined, bodyBytes: bytes, inFlight: 0, latencyUs: 0 });
      for (let sent = 0; sent < bytes; sent += 65_536) observer.onPiece(new Uint8Array(65_536));
      observer.onEnd();
    };
    stream.end(frame(small));
    await until(() => mesh.inferences[0]?.isComplete === true);
    stream.resume();
    assert.deepEqual([(await answer).status, (await answer).message.length], [0, bytes]);
  });

  test('answers what is under way before it closes, and takes nothing new', async (t) => {
    const { mesh, server, client } = await serveGrpc(t);
    mesh.behaviour = () => {};
    const { stream, answer } = open(client, predict);
    stream.end(frame(small));
    await until(() => mesh.inferences.length === 1);
    const goaway = once(client, 'goaway');
    const closed = server.close(10_000);
    await goaway;
    mesh.inferences[0]!.reply(Buffer.from('answer'));
    assert.deepEqual([(await answer).status, (await answer).message.toString()], [0, 'answer']);
    await closed;
  });
});
