/** What no client should send, at the level of HTTP, and what each of it is told. */
import { deflateSync, gzipSync } from 'node:zlib';
import { http } from './serve-fake.ts';

/** Where inferences go that nothing is wrong with. */
export const path = '/v2/models/simple/infer';
const chunked = `POST ${path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n`;

/** 32 MiB of zeros, compressed. */
export const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024), { level: 9 });

export interface BadRequest {
  readonly name: string;
  readonly request: string | Uint8Array;
  readonly status: number;
  readonly message: RegExp;
  /** The next request may come on the same connection. */
  readonly goesOn?: boolean;
}

export const barrage: readonly BadRequest[] = [
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
    request: http('POST', path, bomb.subarray(0, 100), { 'Content-Length': '500', 'Content-Encoding': 'gzip' }),
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
    request: http('POST', path, bomb, { 'Content-Encoding': 'gzip' }),
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
    request: http('POST', path, bomb.subarray(0, 500), { 'Content-Encoding': 'gzip' }),
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
    request: http('POST', '/v2/repository/index', bomb, { 'Content-Encoding': 'gzip' }),
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
