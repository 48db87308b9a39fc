import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { heldReplyBytes } from '../../../src/router/servers/reply-relay.ts';
import type { FakeInference } from './fake-mesh.ts';
import { http, serveFake, until } from './serve-fake.ts';

const path = '/v2/models/simple/infer';
const json = '{"inputs":[]}';

function open(url: string): Socket {
  return connect({ host: '127.0.0.1', port: Number(new URL(url).port), noDelay: true });
}

test('serveInfer hands the body to the mesh untouched and relays the answer', async (t) => {
  const { mesh, send } = await serveFake(t);
  const body = Buffer.from([0, 255, 1, 254]);
  const { answers } = await send(http('POST', path, body, { 'Inference-Header-Content-Length': '2' }));
  assert.equal(answers[0]!.status, 200);
  assert.deepEqual(answers[0]!.body, body);
  assert.equal(answers[0]!.headers.get('inference-header-content-length'), '2');
  assert.equal(answers[0]!.headers.get('content-type'), 'application/octet-stream');
  const { request } = mesh.inferences[0]!;
  assert.deepEqual(
    { ...request, body: request.body.totalBytes },
    { model: 'simple', version: undefined, dialect: 'v2', body: 4, headerLength: 2, timeoutMs: 0, traceparent: '' },
  );
});

test('serveInfer passes on version, deadline and trace', async (t) => {
  const { mesh, send } = await serveFake(t);
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await send(
    http('POST', '/v2/models/multi_version/versions/03/infer', json, { 'Skein-Timeout-Ms': '250', traceparent }),
  );
  await send(http('POST', path, json, { traceparent: '00-nonsense' }));
  const [first, second] = mesh.inferences.map(({ request }) => request);
  assert.deepEqual(
    [first!.model, first!.version, first!.timeoutMs, first!.traceparent],
    ['multi_version', 3, 250, traceparent],
  );
  assert.equal(second!.traceparent, '');
});

test('serveInfer takes an absent body for an empty one', async (t) => {
  const { mesh, send } = await serveFake(t);
  for (const request of [http('POST', path), http('POST', path, '')]) {
    const { answers } = await send(request);
    assert.equal(answers[0]!.status, 200);
  }
  assert.deepEqual(
    mesh.inferences.map(({ receivedBytes, isComplete }) => [receivedBytes, isComplete]),
    [
      [0, true],
      [0, true],
    ],
  );
});

test('serveInfer hands on a body of more than a gathered one as it comes', async (t) => {
  const { mesh, url } = await serveFake(t);
  mesh.behaviour = () => {};
  const body = Buffer.alloc(300_000, 7);
  const request = http('POST', path, body);
  const socket = open(url);
  t.after(() => socket.destroy());
  socket.write(request.subarray(0, request.length - 1_000));
  await until(() => mesh.inferences[0]?.receivedBytes === 299_000);
  assert.equal(mesh.inferences[0]!.isComplete, false);
  socket.write(request.subarray(request.length - 1_000));
  await until(() => mesh.inferences[0]!.isComplete);
  assert.deepEqual(mesh.inferences[0]!.body, body);
});

test('serveInfer takes chunked and compressed bodies', async (t) => {
  const { mesh, send } = await serveFake(t);
  const chunked = 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"inp\r\n8;x=y\r\nuts":[]}\r\n0\r\nTrailer: x\r\n\r\n';
  await send(`POST ${path} HTTP/1.1\r\nHost: h\r\n${chunked}`);
  await send(http('POST', path, gzipSync(json), { 'Content-Encoding': 'gzip' }));
  await send(http('POST', path, deflateSync(json), { 'Content-Encoding': 'deflate' }));
  await send(http('POST', path, json, { 'Content-Encoding': 'identity' }));
  assert.deepEqual(
    mesh.inferences.map(({ body }) => body.toString()),
    [json, json, json, json],
  );
});

test('serveInfer compresses an answer where the client asks for it', async (t) => {
  const { mesh, send } = await serveFake(t);
  const large = Buffer.alloc(heldReplyBytes + 1, 'abc');
  for (const reply of [Buffer.from(json), large]) {
    mesh.behaviour = (inference) => inference.isComplete && inference.reply(reply, 3);
    for (const coding of ['gzip', 'deflate']) {
      const { answers } = await send(http('POST', path, json, { 'Accept-Encoding': coding }), { settleMs: 0 });
      assert.equal(answers[0]!.headers.get('content-encoding'), coding);
      assert.equal(answers[0]!.headers.get('inference-header-content-length'), '3', 'that of the plain body');
    }
    const { answers } = await send(http('POST', path, json, { 'Accept-Encoding': '*' }), { settleMs: 0 });
    assert.equal(answers[0]!.headers.get('content-encoding'), undefined);
    assert.deepEqual(answers[0]!.body, reply);
  }
});

test('serveInfer tells a client that waits to send its body once the mesh takes the request', async (t) => {
  const { mesh, url } = await serveFake(t);
  const socket = open(url);
  t.after(() => socket.destroy());
  socket.write(http('POST', path, undefined, { 'Content-Length': '13', Expect: '100-continue' }));
  const [interim] = (await once(socket, 'data')) as [Buffer];
  assert.match(interim.toString(), /^HTTP\/1\.1 100 Continue/);
  assert.equal(mesh.inferences.length, 1);
  socket.write(json);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200 OK/);
});

test('serveInfer refuses before the body is sent where the client waits for that', async (t) => {
  const { mesh, send } = await serveFake(t, { maxBodyBytes: 10 });
  const expecting = (target: string, length: number) =>
    send(http('POST', target, undefined, { 'Content-Length': String(length), Expect: '100-continue' }));
  const tooLarge = await expecting(path, 11);
  assert.equal(tooLarge.answers[0]!.status, 400);
  assert.match(tooLarge.answers[0]!.body.toString(), /is 11 bytes, at most 10 are taken \(setting max-body\)/);
  assert.equal(mesh.inferences.length, 0);
  const unknown = await expecting('/v2/models/nope/infer', 5);
  assert.equal(unknown.answers[0]!.status, 404);
  for (const { answers } of [tooLarge, unknown]) assert.equal(answers[0]!.headers.get('connection'), 'close');
});

test('serveInfer answers errors of the mesh with status, text, request id and Retry-After', async (t) => {
  const { mesh, send } = await serveFake(t);
  mesh.behaviour = ({ isComplete, observer }) => {
    if (isComplete)
      observer.onError(new SkeinError('model_loading', { model: 'simple', seconds: 3, retryAfterSeconds: 2.1 }), 'r7');
  };
  const { answers, connection } = await send(http('POST', path, json));
  assert.equal(answers[0]!.status, 503);
  assert.equal(answers[0]!.headers.get('retry-after'), '3');
  assert.match(answers[0]!.body.toString(), /^\{"error":"\[request id: r7\] model 'simple' needs about 3 s/);
  assert.equal(connection, 'open');
});

test('serveInfer forgets a beginning that failed while the client had nothing of it', async (t) => {
  const { mesh, send } = await serveFake(t);
  mesh.behaviour = ({ isComplete, observer }) => {
    if (!isComplete) return;
    observer.onReply({ headerLength: 5, bodyBytes: 100, inFlight: 0, latencyUs: 0 });
    observer.onPiece(Buffer.from('half'));
    observer.onReply({ headerLength: undefined, bodyBytes: 5, inFlight: 0, latencyUs: 0 });
    observer.onPiece(Buffer.from('wh'));
    observer.onPiece(Buffer.from('ole'));
    observer.onEnd();
  };
  const { answers } = await send(http('POST', path, json));
  assert.equal(answers[0]!.body.toString(), 'whole');
  assert.equal(answers[0]!.headers.get('inference-header-content-length'), undefined);
  mesh.behaviour = ({ isComplete, observer }) => {
    if (!isComplete) return;
    observer.onReply({ headerLength: undefined, bodyBytes: 100, inFlight: 0, latencyUs: 0 });
    observer.onError(new SkeinError('copy_crashed', { model: 'simple' }));
  };
  assert.equal((await send(http('POST', path, json))).answers[0]!.status, 503);
});

test('serveInfer breaks off an answer that fails after its first byte, or is not as long as it said', async (t) => {
  const { mesh, send } = await serveFake(t);
  const bodyBytes = heldReplyBytes + 10;
  const begin = ({ observer }: FakeInference) => {
    observer.onReply({ headerLength: undefined, bodyBytes, inFlight: 0, latencyUs: 0 });
    observer.onPiece(Buffer.alloc(heldReplyBytes));
  };
  for (const fail of [
    ({ observer }: FakeInference) => observer.onError(new SkeinError('copy_crashed', { model: 'simple' })),
    ({ observer }: FakeInference) => observer.onEnd(),
  ]) {
    mesh.behaviour = (inference) => {
      if (!inference.isComplete) return;
      begin(inference);
      setImmediate(() => fail(inference));
    };
    const { answers, connection } = await send(http('POST', path, json));
    assert.equal(answers.length, 0);
    assert.notEqual(connection, 'open');
  }
});

test('serveInfer cancels what a client no longer waits for', async (t) => {
  const { mesh, url, tools, metrics } = await serveFake(t);
  mesh.behaviour = () => {};
  const socket = open(url);
  socket.write(http('POST', path, json));
  await until(() => mesh.inferences[0]?.isComplete === true);
  socket.destroy();
  await mesh.inferences[0]!.ended.promise;
  await until(() => mesh.inferences[0]!.isCancelled);
  assert.equal(tools.retention.usedBytes, 0);
  assert.equal(metrics.errors.get('cancelled'), 1);
});

test('serveInfer aborts a body whose client goes away in its midst', async (t) => {
  const { mesh, url, tools } = await serveFake(t);
  mesh.behaviour = () => {};
  const socket = open(url);
  socket.write(http('POST', path, Buffer.alloc(100_000), { 'Content-Length': '200000' }));
  await until(() => (mesh.inferences[0]?.receivedBytes ?? 0) === 100_000);
  socket.destroy();
  await mesh.inferences[0]!.ended.promise;
  await until(() => mesh.inferences[0]!.isAborted);
  assert.equal(tools.retention.usedBytes, 0);
});

test('serveInfer drops the rest of a body that was answered early, and the connection goes on', async (t) => {
  const { mesh, send, tools } = await serveFake(t);
  mesh.behaviour = (inference) => {
    if (inference.receivedBytes > 0 && !inference.isAborted) inference.reply(Buffer.from('early'));
  };
  const large = http('POST', path, Buffer.alloc(500_000));
  const { answers } = await send(Buffer.concat([large, http('GET', '/v2/health/live')]), { settleMs: 200 });
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200],
  );
  assert.equal(tools.retention.usedBytes, 0);
});

test('serveInfer pauses a body that the mesh cannot take and goes on when it can', async (t) => {
  const { mesh, url } = await serveFake(t);
  const body = Buffer.alloc(8_000_000, 1);
  mesh.takesBytes = 100_000;
  mesh.behaviour = () => {};
  const socket = open(url);
  t.after(() => socket.destroy());
  socket.write(http('POST', path, body));
  await until(() => (mesh.inferences[0]?.receivedBytes ?? 0) >= 100_000);
  const inference = mesh.inferences[0]!;
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(inference.receivedBytes < 500_000, `${inference.receivedBytes} bytes came while it was paused`);
  mesh.takesBytes = Number.POSITIVE_INFINITY;
  inference.request.body.resume();
  await until(() => inference.isComplete);
  assert.equal(inference.receivedBytes, body.length);
});

test('serveInfer asks the mesh for less while the client reads slowly, and for more when it has caught up', async (t) => {
  const { mesh, url } = await serveFake(t);
  const piece = Buffer.alloc(65_536);
  const pieces = 1_000;
  let sent = 0;
  mesh.behaviour = ({ isComplete, observer }) => {
    if (!isComplete) return;
    observer.onReply({ headerLength: undefined, bodyBytes: pieces * piece.length, inFlight: 0, latencyUs: 0 });
    setImmediate(pump);
  };
  /** As a backend does: it goes on until it is asked to pause, and a window's worth is on its way then. */
  function pump(): void {
    const inference = mesh.inferences[0]!;
    while (sent < pieces && inference.pauses === inference.resumes) {
      inference.observer.onPiece(piece);
      sent++;
    }
    if (sent < pieces) setImmediate(pump);
    else inference.observer.onEnd();
  }
  const socket = open(url);
  t.after(() => socket.destroy());
  socket.pause();
  socket.write(http('POST', path, json));
  await until(() => (mesh.inferences[0]?.pauses ?? 0) > 0);
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(sent < pieces / 2, `${sent} pieces were taken from the mesh for a client that reads nothing`);
  let read = 0;
  socket.on('data', (bytes) => {
    read += bytes.length;
  });
  socket.resume();
  await until(() => read > pieces * piece.length);
  assert.ok(mesh.inferences[0]!.resumes > 0);
});

test('serveInfer counts what it served, and the models only that exist', async (t) => {
  const { mesh, send, metrics } = await serveFake(t);
  await send(http('POST', path, json), { settleMs: 0 });
  await send(http('POST', '/v2/models/made-up/infer', json), { settleMs: 0 });
  await send(http('POST', path, json, { 'Content-Encoding': 'br' }), { settleMs: 0 });
  mesh.behaviour = ({ isComplete, observer }) => {
    if (isComplete) observer.onError(new SkeinError('queue_full'));
  };
  await send(http('POST', path, json), { settleMs: 0 });
  assert.deepEqual([...metrics.models.keys()], ['simple']);
  assert.equal(metrics.models.get('simple')!.durations.count, 2);
  assert.equal(metrics.models.get('simple')!.failures.REJECTED, 1);
  assert.deepEqual(
    [...metrics.errors],
    [
      ['model_unknown', 1],
      ['queue_full', 1],
    ],
  );
  assert.deepEqual([...metrics.refusals], [['body_encoding', 1]]);
});
