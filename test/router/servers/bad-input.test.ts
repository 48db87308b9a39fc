/** What no client should send, at the level of HTTP: each gets a 4xx that says why, and the server goes on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { http, type Served, serveFake, until } from './serve-fake.ts';

const path = '/v2/models/simple/infer';
const quick = { headersTimeoutMs: 200, bodyTimeoutMs: 200 };
const chunked = `POST ${path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n`;
const zeros = gzipSync(Buffer.alloc(32 * 1024 * 1024), { level: 9 });

interface Bad {
  readonly name: string;
  readonly request: string | Uint8Array;
  readonly status: number;
  readonly message: RegExp;
  /** The next request may come on the same connection. */
  readonly goesOn?: boolean;
}

const barrage: readonly Bad[] = [
  { name: 'a request line that is none', request: 'HELLO\r\n\r\n', status: 400, message: /not well-formed HTTP/ },
  {
    name: 'a method in lower case',
    request: 'get /v2 HTTP/1.1\r\nHost: h\r\n\r\n',
    status: 400,
    message: /Invalid method/,
  },
  {
    name: 'bytes of TLS',
    request: Buffer.from('16030100a5010000a10303', 'hex'),
    status: 400,
    message: /not well-formed HTTP/,
  },
  {
    name: 'the preface of HTTP/2',
    request: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    status: 400,
    message: /not well-formed HTTP/,
  },
  {
    name: 'version 2.0 in a request of 1.1',
    request: 'GET /v2 HTTP/2.0\r\nHost: h\r\n\r\n',
    status: 400,
    message: /1\.1 is spoken/,
  },
  { name: 'no Host', request: 'GET /v2 HTTP/1.1\r\n\r\n', status: 400, message: /no Host header/ },
  {
    name: 'two Hosts',
    request: 'GET /v2 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    status: 400,
    message: /several Host/,
  },
  {
    name: 'a header without a name',
    request: 'GET /v2 HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n',
    status: 400,
    message: /header/,
  },
  { name: 'a space before a colon', request: 'GET /v2 HTTP/1.1\r\nHost : h\r\n\r\n', status: 400, message: /header/ },
  {
    name: 'a folded header',
    request: 'GET /v2 HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n',
    status: 400,
    message: /HTTP/,
  },
  {
    name: 'NUL in a header',
    request: 'GET /v2 HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n',
    status: 400,
    message: /header/,
  },
  {
    name: 'a header of 100 kB',
    request: `GET /v2 HTTP/1.1\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`,
    status: 431,
    message: /max-header/,
  },
  {
    name: 'a path of 20 kB',
    request: `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: h\r\n\r\n`,
    status: 431,
    message: /max-header/,
  },
  {
    name: '5,000 headers',
    request: `GET /v2 HTTP/1.1\r\n${'a:\r\n'.repeat(5_000)}\r\n`,
    status: 431,
    message: /max-header/,
  },
  {
    name: 'a length that is no number',
    request: `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: abc\r\n\r\n`,
    status: 400,
    message: /Content-Length/,
  },
  {
    name: 'a negative length',
    request: `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n`,
    status: 400,
    message: /Content-Length/,
  },
  {
    name: 'a length beyond 64 bits',
    request: `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\n`,
    status: 400,
    message: /Content-Length/,
  },
  {
    name: 'two lengths',
    request: `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    status: 400,
    message: /Content-Length/,
  },
  {
    name: 'a length and chunks',
    request: `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
    message: /Content-Length/,
  },
  {
    name: 'chunks that are not the last coding',
    request: `POST ${path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    status: 400,
    message: /Transfer-Encoding/,
  },
  { name: 'a chunk size that is none', request: `${chunked}zz\r\n`, status: 400, message: /chunk size/ },
  { name: 'a chunk longer than it says', request: `${chunked}2\r\nabc\r\n0\r\n\r\n`, status: 400, message: /chunk/ },
  {
    name: 'a chunk extension of 100 kB',
    request: `${chunked}1;${'x'.repeat(100_000)}\r\na\r\n0\r\n\r\n`,
    status: 400,
    message: /chunk ext/i,
  },
  { name: 'a head that stops', request: 'GET /v2 HTTP/1.1\r\nHost: h\r\nX', status: 408, message: /headers-timeout/ },
  {
    name: 'a body that stops',
    request: http('POST', path, 'abc', { 'Content-Length': '10' }),
    status: 400,
    message: /stopped short of its 10 bytes.*body-timeout/,
  },
  {
    name: 'a large body that stops',
    request: http('POST', path, 'abc', { 'Content-Length': '1000000' }),
    status: 400,
    message: /short of its 1000000 bytes/,
  },
  { name: 'chunks that stop', request: `${chunked}3\r\nabc\r\n`, status: 400, message: /short of its end/ },
  {
    name: 'gzip that stops',
    request: http('POST', path, zeros.subarray(0, 100), { 'Content-Length': '500', 'Content-Encoding': 'gzip' }),
    status: 400,
    message: /stopped short/,
  },
  {
    name: 'a body of the admin API that stops',
    request: http('POST', '/v2/repository/index', '{', { 'Content-Length': '2' }),
    status: 400,
    message: /stopped short of its 2 bytes/,
  },
  {
    name: 'an expectation nobody can meet',
    request: http('POST', path, 'a', { Expect: 'miracle' }),
    status: 400,
    message: /Expect: miracle/,
  },
  {
    name: 'a body over the limit, announced',
    request: http('POST', path, '', { 'Content-Length': '100000000' }),
    status: 400,
    message: /100000000 bytes, at most 1000000/,
  },
  {
    name: 'a body over the limit, in chunks',
    request: `${chunked}200000\r\n${'x'.repeat(2_097_152)}\r\n0\r\n\r\n`,
    status: 400,
    message: /is more than 1000000 bytes/,
  },
  {
    name: 'a gzip bomb',
    request: http('POST', path, zeros, { 'Content-Encoding': 'gzip' }),
    status: 400,
    message: /decompresses to more than 1000000/,
    goesOn: true,
  },
  {
    name: 'a deflate bomb',
    request: http('POST', path, deflateSync(Buffer.alloc(8_000_000)), { 'Content-Encoding': 'deflate' }),
    status: 400,
    message: /decompresses to more than/,
    goesOn: true,
  },
  {
    name: 'gzip that is none',
    request: http('POST', path, 'not gzip', { 'Content-Encoding': 'gzip' }),
    status: 400,
    message: /not valid gzip: incorrect header check/,
    goesOn: true,
  },
  {
    name: 'gzip cut short',
    request: http('POST', path, zeros.subarray(0, 500), { 'Content-Encoding': 'gzip' }),
    status: 400,
    message: /not valid gzip: unexpected end of file/,
    goesOn: true,
  },
  {
    name: 'deflate without its frame',
    request: http('POST', path, 'xyz', { 'Content-Encoding': 'deflate' }),
    status: 400,
    message: /not valid deflate/,
    goesOn: true,
  },
  {
    name: 'an unknown coding',
    request: http('POST', path, 'x', { 'Content-Encoding': 'br' }),
    status: 400,
    message: /Unsupported compression type/,
    goesOn: true,
  },
  {
    name: 'a header length beyond the body',
    request: http('POST', path, 'abc', { 'Inference-Header-Content-Length': '4' }),
    status: 400,
    message: /should be in range \(0, 3\), got: 4/,
    goesOn: true,
  },
  {
    name: 'a header length that is no number',
    request: http('POST', path, 'abc', { 'Inference-Header-Content-Length': 'x' }),
    status: 400,
    message: /Unable to parse Inference-Header-Content-Length, got: x/,
    goesOn: true,
  },
  {
    name: 'two header lengths',
    request: http('POST', path, 'abc', {
      'Inference-Header-Content-Length': '1',
      'inference-header-content-length': '2',
    }),
    status: 400,
    message: /got: 1, 2/,
    goesOn: true,
  },
  {
    name: 'a negative header length of a chunked body',
    request: chunked.replace('\r\n\r\n', '\r\nInference-Header-Content-Length: -1\r\n\r\n0\r\n\r\n'),
    status: 400,
    message: /got: -1/,
  },
  {
    name: 'a deadline that is none',
    request: http('POST', path, 'abc', { 'Skein-Timeout-Ms': 'soon' }),
    status: 400,
    message: /Skein-Timeout-Ms must be a whole number/,
    goesOn: true,
  },
  {
    name: 'a version of 20 digits',
    request: http('POST', `/v2/models/simple/versions/${'9'.repeat(20)}/infer`, 'a'),
    status: 400,
    message: /details: stol/,
    goesOn: true,
  },
  {
    name: 'dots for a model',
    request: http('POST', '/v2/models/../infer', 'a'),
    status: 404,
    message: /unknown model: '\.\.'/,
    goesOn: true,
  },
  {
    name: 'a path out of the models',
    request: http('POST', '/v2/models/../../../etc/passwd/infer', 'a'),
    status: 404,
    message: /Not Found/,
    goesOn: true,
  },
  {
    name: 'encoded dots and slashes',
    request: http('POST', '/v2/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd/infer', 'a'),
    status: 404,
    message: /unknown model: '%2e%2e%2f/,
    goesOn: true,
  },
  {
    name: 'an encoded NUL',
    request: http('POST', '/v2/models/simple%00/infer', 'a'),
    status: 404,
    message: /unknown model/,
    goesOn: true,
  },
  {
    name: 'a broken escape',
    request: http('GET', '/v2/models/%zz%'),
    status: 404,
    message: /unknown model: '%zz%'/,
    goesOn: true,
  },
  {
    name: 'a model name of 10 kB',
    request: http('GET', `/v2/models/${'a'.repeat(10_000)}`),
    status: 404,
    message: /unknown model/,
    goesOn: true,
  },
  {
    name: 'a load that leads out',
    request: http('POST', '/v2/repository/models/../load', '{"parameters":{"config":"{}","file:1/x":""}}'),
    status: 400,
    message: /cannot be the name of a model/,
    goesOn: true,
  },
  {
    name: 'an index body of 1 MB',
    request: http('POST', '/v2/repository/index', Buffer.alloc(1_000_000, ' ')),
    status: 400,
    message: /at most 65536/,
    goesOn: true,
  },
  {
    name: 'a gzip bomb for the admin API',
    request: http('POST', '/v2/repository/index', zeros, { 'Content-Encoding': 'gzip' }),
    status: 400,
    message: /decompresses to more than 65536/,
    goesOn: true,
  },
  {
    name: 'gzip that is none for the admin API',
    request: http('POST', '/v2/repository/index', '{}', { 'Content-Encoding': 'gzip' }),
    status: 400,
    message: /not valid gzip/,
    goesOn: true,
  },
  {
    name: 'nesting without end',
    request: http('POST', '/v2/repository/index', '['.repeat(60_000)),
    status: 400,
    message: /nesting depth/,
    goesOn: true,
  },
  {
    name: 'an index body that is no UTF-8',
    request: http('POST', '/v2/repository/index', Buffer.from([0xff, 0xfe])),
    status: 400,
    message: /JSON/,
    goesOn: true,
  },
];

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
    await served.send(http('POST', path, zeros, { 'Content-Encoding': 'gzip' }), { settleMs: 0 });
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
