import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { RequestBody } from '../../../src/adapters/request-body.ts';
import { clientBody, wholeBody } from '../client-body.ts';
import { until } from '../until.ts';
import { openSession } from './open-session.ts';

const path = '/v2/models/first/infer';

describe('V2Session.infer', () => {
  test('names a version only where the client did', async (t) => {
    const { server, send } = await openSession(t);
    await send().reply.over;
    await send({ versionNamed: true }).reply.over;
    const asked = server.asked.filter((line) => line.startsWith('POST /v2/models'));
    assert.deepEqual(asked, [`POST ${path}`, 'POST /v2/models/first/versions/1/infer']);
  });

  test('refuses what is not its protocol without asking, so that another backend can be tried', async (t) => {
    const { server, send } = await openSession(t);
    const { reply } = send({ dialect: 'v1Predict' });
    await reply.over;
    assert.equal(reply.error?.code, 'dialect_unsupported');
    assert.ok(reply.error?.mayRetry);
    assert.ok(!server.asked.some((line) => line.startsWith('POST /v2/models')));
  });

  test('says what the body is', async (t) => {
    const { server, send } = await openSession(t);
    const headers: unknown[] = [];
    server.answers.set(path, (request, response) => {
      const { 'content-type': type, 'content-length': length } = request.headers;
      headers.push([type, length, request.headers['inference-header-content-length']]);
      response.end();
    });
    await send().reply.over;
    await send({ headerLength: 2 }).reply.over;
    const streamed = clientBody(undefined).body;
    const { reply } = send({ body: streamed });
    streamed.push(Buffer.from('{}'));
    await until('the request', () => headers.length === 3);
    streamed.end();
    await reply.over;
    assert.deepEqual(headers, [
      ['application/json', '13', undefined],
      ['application/octet-stream', '13', '2'],
      ['application/json', undefined, undefined],
    ]);
  });

  test('says whether the memory of the body may be used again: where all of it was sent and answered', async (t) => {
    const { server, send } = await openSession(t);
    const released: boolean[] = [];
    const pool = { usedBytes: 0, limitBytes: 1024 * 1024, perRequestBytes: 1024 * 1024 };
    const source = { pause: () => {}, resume: () => {}, onReleased: (isSpent: boolean) => released.push(isSpent) };
    const sent = async (bytes: number, isWhole: boolean) => {
      const body = new RequestBody(bytes, pool, source);
      const { reply } = send({ body });
      for (let at = 0; at < bytes - 1_000; at += 1_000) body.push(Buffer.alloc(1_000));
      if (isWhole) {
        body.push(Buffer.alloc(1_000));
        body.end();
      }
      await reply.over;
      body.release();
    };
    await sent(3_000, true);
    await sent(300_000, true);
    server.answers.set(path, (_request, response) => response.end('{}'));
    await sent(300_000, false);
    server.answers.set(path, (_request, response) => response.writeHead(500).end('{}'));
    await sent(3_000, true);
    assert.deepEqual(released, [true, true, false, false]);
  });

  test('ends with the deadline where the server takes longer, and gives the request up there', async (t) => {
    const { server, send } = await openSession(t);
    server.behave({ kind: 'silent' });
    const { reply } = send({ timeoutMs: 30 });
    await reply.over;
    assert.equal(reply.error?.message, "the deadline passed after 30 ms, while backend 'fake' had not answered");
    await until('the server to notice', () => server.givenUp === 1);
    assert.deepEqual(reply.late, []);
  });

  test('has no deadline any more once the answer has begun', async (t) => {
    const { server, send } = await openSession(t);
    let rest: ServerResponse | undefined;
    server.answers.set(path, (_request, response) => {
      response.setHeader('Content-Length', 4).write('ab');
      rest = response;
    });
    const { reply } = send({ timeoutMs: 400 });
    await reply.begun;
    await new Promise((resolve) => setTimeout(resolve, 500));
    rest?.end('cd');
    await reply.over;
    assert.equal(reply.body.toString(), 'abcd');
  });

  test('keeps to the number of connections, and sends what waits as they come free', async (t) => {
    const { server, send } = await openSession(t, {}, { connections: 2, waiting: 2 });
    server.behave({ kind: 'deaf' });
    const replies = [1, 2, 3, 4].map(() => send().reply);
    const { reply: surplus } = send();
    await surplus.over;
    assert.equal(surplus.error?.code, 'queue_full');
    await until('two requests', () => server.begun === 2);
    server.behave({ kind: 'echo' });
    await Promise.all(replies.map(({ over }) => over));
    assert.deepEqual(
      replies.map(({ error }) => error),
      [undefined, undefined, undefined, undefined],
    );
    assert.equal(server.begun, 4);
  });

  test('forgets what was cancelled, or ran out of time, while it waited', async (t) => {
    const { server, send } = await openSession(t, {}, { connections: 1 });
    server.behave({ kind: 'deaf' });
    const { reply: first } = send();
    const cancelled = send();
    const { reply: late } = send({ timeoutMs: 20 });
    cancelled.exchange.cancel();
    await late.over;
    assert.match(late.error?.message ?? '', /while the request waited for a connection to backend 'fake'/);
    server.behave({ kind: 'echo' });
    await first.over;
    await send().reply.over;
    assert.equal(server.begun, 2);
  });

  test('takes an early answer, though the body has not ended', async (t) => {
    const { server, send } = await openSession(t);
    server.answers.set(path, (_request, response) => {
      response.writeHead(400).end('{"error":"too much"}');
    });
    const { body } = clientBody(1_000_000);
    const { reply } = send({ body });
    body.push(Buffer.alloc(1_000));
    await reply.over;
    assert.equal(reply.error?.message, 'too much');
    body.push(Buffer.alloc(1_000)); // nobody takes it, and nothing breaks
  });

  test('gathers an answer of unknown length, up to a bound, so that its length can be told', async (t) => {
    const { server, send } = await openSession(t, {}, { gatheredAnswerBytes: 10 });
    let pieces = ['{"outp', 'uts"'];
    server.answers.set(path, (_request, response) => {
      response.setHeader('Inference-Header-Content-Length', '3');
      for (const piece of pieces) response.write(piece);
      response.end();
    });
    const { reply } = send();
    await reply.over;
    assert.deepEqual([reply.head?.bodyBytes, reply.head?.headerLength], [10, 3]);
    assert.equal(reply.body.toString(), '{"outputs"');
    pieces = ['{"outputs":', '[]}'];
    const { reply: larger } = send();
    await larger.over;
    assert.equal(larger.error?.code, 'reply_malformed');
    assert.equal(larger.head, undefined);
  });

  test('refuses answers that no client could read', async (t) => {
    const { server, send } = await openSession(t, {}, { largestAnswerBytes: 1_000, largestHeaderBytes: 2_000 });
    const answers: Readonly<Record<string, (response: ServerResponse) => void>> = {
      'Content-Encoding is gzip': (response) => response.setHeader('Content-Encoding', 'gzip').end('x'),
      'Inference-Header-Content-Length is 2': (response) => {
        response.setHeader('Inference-Header-Content-Length', '2').setHeader('Content-Length', 1).end('x');
      },
      'Inference-Header-Content-Length is NaN': (response) => {
        response.setHeader('Inference-Header-Content-Length', '-1').setHeader('Content-Length', 1).end('x');
      },
      '1001 bytes or more': (response) => response.setHeader('Content-Length', 1_001).end(Buffer.alloc(1_001)),
      'HTTP status 307': (response) => response.writeHead(307, { Location: '/elsewhere' }).end(),
      'Headers Overflow': (response) => response.setHeader('X-Long', 'x'.repeat(4_000)).end(),
    };
    for (const [reason, answer] of Object.entries(answers)) {
      server.answers.set(path, (_request, response) => answer(response));
      const { reply } = send();
      await reply.over;
      assert.equal(reply.error?.code, 'reply_malformed', reason);
      assert.ok(reply.error?.message.includes(reason), reply.error?.message);
      assert.equal(reply.head, undefined);
    }
  });

  test('refuses what is not HTTP', async (t) => {
    const { server, send } = await openSession(t);
    server.answers.set(path, (request) => request.socket.end('SSH-2.0-OpenSSH\r\n'));
    const { reply } = send();
    await reply.over;
    assert.equal(reply.error?.code, 'reply_malformed');
  });

  test('may be tried again where the connection broke before an answer, and not once it had begun', async (t) => {
    const { server, send } = await openSession(t);
    server.answers.set(path, (request) => request.socket.destroy());
    const { reply: none } = send();
    await none.over;
    assert.deepEqual([none.error?.code, none.error?.mayRetry], ['link_broken', true]);
    server.answers.clear();
    server.behave({ kind: 'cut' });
    const { reply: half } = send();
    await half.over;
    assert.deepEqual([half.error?.code, half.error?.mayRetry], ['reply_cut', false]);
    assert.equal(half.error?.facts['bytes'], 6);
  });

  test('sends a body a second time after the first try failed', async (t) => {
    const { server, send } = await openSession(t);
    server.answers.set(path, (request) => request.socket.destroy());
    const { body } = clientBody(8);
    const { reply: first } = send({ body });
    body.push(Buffer.from('half'));
    await first.over;
    server.answers.clear();
    const { reply: second } = send({ body });
    body.push(Buffer.from('rest'));
    body.end();
    await second.over;
    assert.equal(second.body.toString(), 'halfrest');
  });

  test('is not disturbed by a connection that the server closed while it was idle', async (t) => {
    const { server, send } = await openSession(t);
    for (let n = 0; n < 20; n++) {
      const { reply } = send();
      await reply.over;
      assert.equal(reply.error, undefined);
      server.closeIdle();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  });

  test('says that a copy has gone which the server no longer has', async (t) => {
    const { server, backend, send } = await openSession(t);
    const copy = backend.ofModel('first')!;
    server.states.delete('first');
    await until('the copy to go', () => !backend.isReady('first'));
    const { reply } = send({ copy });
    await reply.over;
    assert.equal(reply.error?.code, 'copy_gone');
  });

  test('looks at the models again when the server does not know one', async (t) => {
    const { server, backend, send } = await openSession(t, {}, { listEveryMs: 1_000_000 });
    server.states.delete('first');
    server.answers.set(path, (_request, response) => {
      response.writeHead(404).end('{"error":"Request for unknown model: \'first\' is not found"}');
    });
    const { reply } = send();
    await reply.over;
    assert.equal(reply.error?.code, 'foreign_missing');
    await until('the copy to go', () => backend.ofModel('first') === undefined);
  });

  test('measures the load that the server does not tell', async (t) => {
    const { server, send } = await openSession(t);
    server.behave({ kind: 'deaf' });
    const replies = [1, 2, 3].map(() => send({ body: wholeBody(Buffer.from('{}')) }).reply);
    await until('three requests', () => server.begun === 3);
    server.behave({ kind: 'echo' });
    await Promise.all(replies.map(({ over }) => over));
    assert.deepEqual(replies.map(({ head }) => head?.inFlight).sort(), [1, 2, 3]);
    assert.ok(replies.every(({ head }) => head!.latencyUs > 0));
  });
});
