import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultServerOptions } from '../../../src/router/servers/server-options.ts';
import { readStrictHead } from '../../../src/router/servers/strict-head.ts';

const options = { ...defaultServerOptions, maxBodyBytes: 1_000 };
const line = 'POST /v2/models/m/infer HTTP/1.1';

function head(...lines: string[]): Buffer {
  return Buffer.from([...lines, '', 'body'].join('\r\n'), 'latin1');
}

describe('readStrictHead', () => {
  test('reads what an inference says, and where its body begins', () => {
    const bytes = head(
      'POST /v2/models/m/versions/7/infer HTTP/1.1',
      'host: h',
      'CONTENT-LENGTH: 4 ',
      'Inference-Header-Content-Length: 2',
      'Skein-Timeout-Ms:250',
      'Connection: Keep-Alive',
      'X-Anything: at all',
      'X-Anything: twice',
    );
    const read = readStrictHead(bytes, options);
    assert.equal(read?.bytes.length, bytes.length - 'body'.length);
    const { model, version, expectedBytes, headerLength, timeoutMs, traceparent, coding } = read!.facts;
    assert.deepEqual(
      [model, version, expectedBytes, headerLength, timeoutMs, traceparent, coding],
      ['m', 7, 4, 2, 250, '', undefined],
    );
  });

  test('keeps no hold of the bytes it was given', () => {
    const bytes = head(line, 'Host: h', 'Content-Length: 4');
    const read = readStrictHead(bytes, options)!;
    bytes.fill(0);
    assert.match(read.bytes.toString(), /^POST.*\r\n\r\n$/s);
  });

  const leaves: Record<string, Buffer> = {
    'a head that is not all there': Buffer.from(`${line}\r\nHost: h\r\nContent-Length: 4\r\n`),
    'another method': head('PUT /v2/models/m/infer HTTP/1.1', 'Host: h', 'Content-Length: 4'),
    'another path': head('POST /v2/models/m/ready HTTP/1.1', 'Host: h', 'Content-Length: 4'),
    'a query': head('POST /v2/models/m/infer?a HTTP/1.1', 'Host: h', 'Content-Length: 4'),
    'an older version': head('POST /v2/models/m/infer HTTP/1.0', 'Host: h', 'Content-Length: 4'),
    'no host': head(line, 'Content-Length: 4'),
    'two hosts': head(line, 'Host: h', 'Host: h', 'Content-Length: 4'),
    'no length': head(line, 'Host: h'),
    'two lengths': head(line, 'Host: h', 'Content-Length: 4', 'Content-Length: 4'),
    'a length that is no number': head(line, 'Host: h', 'Content-Length: 0x4'),
    'a body over the limit': head(line, 'Host: h', 'Content-Length: 1001'),
    chunks: head(line, 'Host: h', 'Content-Length: 4', 'Transfer-Encoding: chunked'),
    'a compressed body': head(line, 'Host: h', 'Content-Length: 4', 'Content-Encoding: gzip'),
    'an answer that is wanted compressed': head(line, 'Host: h', 'Content-Length: 4', 'Accept-Encoding: gzip'),
    'a connection that ends': head(line, 'Host: h', 'Content-Length: 4', 'Connection: close'),
    'an expectation': head(line, 'Host: h', 'Content-Length: 4', 'Expect: 100-continue'),
    'a deadline that is none': head(line, 'Host: h', 'Content-Length: 4', 'Skein-Timeout-Ms: soon'),
    'bytes beyond ASCII': head(line, 'Host: h', 'Content-Length: 4', 'X: \xe9'),
    'a bare line feed': head(line, 'Host: h\nX: y', 'Content-Length: 4'),
    'a folded line': head(line, 'Host: h', ' more', 'Content-Length: 4'),
    'a space before a colon': head(line, 'Host : h', 'Content-Length: 4'),
    'an empty line before': Buffer.concat([Buffer.from('\r\n'), head(line, 'Host: h', 'Content-Length: 4')]),
    'very many headers': head(line, 'Host: h', 'Content-Length: 4', ...Array.from({ length: 65 }, () => 'X: y')),
    'a very long head': head(line, 'Host: h', 'Content-Length: 4', `X: ${'y'.repeat(9_000)}`),
  };
  for (const [name, bytes] of Object.entries(leaves)) {
    test(`leaves ${name} to node:http`, () => assert.equal(readStrictHead(bytes, options), undefined));
  }
});
