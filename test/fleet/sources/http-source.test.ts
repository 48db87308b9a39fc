import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { parseAllowList } from '../../../src/fleet/sources/allow-list.ts';
import { HttpSource } from '../../../src/fleet/sources/http-source.ts';
import { SourceGate } from '../../../src/fleet/sources/source-gate.ts';
import { bytesOf, fileReaderContract } from './file-reader.contract.ts';
import { type FileServer, startFileServer } from './file-server.ts';

const signal = new AbortController().signal;

function readerOf(...places: string[]): HttpSource {
  const list = parseAllowList(places.join(','));
  if ('fault' in list) assert.fail(list.fault);
  return new HttpSource(new SourceGate(list, 'any'), 30_000);
}

fileReaderContract('HttpSource', async (t, files) => {
  const placed = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`/${path}`, bytes]));
  const server = await startFileServer(t, placed);
  const urlOf = (path: string) => new URL(path.split('/').map(encodeURIComponent).join('/'), server.origin);
  return { reader: readerOf(`${server.origin}/m`), urlOf };
});

async function withRedirect(t: TestContext, location: string): Promise<[HttpSource, URL, FileServer]> {
  const server = await startFileServer(t, { '/m/b': Buffer.from('b') });
  server.misbehave = (request, answer) => {
    if (request.url !== '/m/a') return false;
    answer.writeHead(302, { location: location.replace('ORIGIN', server.origin) }).end();
    return true;
  };
  return [readerOf(`${server.origin}/m`), new URL('/m/a', server.origin), server];
}

describe('HttpSource', () => {
  for (const location of ['b', '/m/b', 'ORIGIN/m/b']) {
    test(`follows a redirect to ${location}`, async (t) => {
      const [reader, url] = await withRedirect(t, location);
      assert.equal(String(await bytesOf(await reader.open(url, 0, signal))), 'b');
    });
  }

  for (const location of [
    '/secret',
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
    'http://localhost:1/m/b',
  ]) {
    test(`follows no redirect to ${location}`, async (t) => {
      const [reader, url] = await withRedirect(t, location);
      await assert.rejects(reader.open(url, 0, signal), { code: 'source_not_allowed' });
    });
  }

  test('follows no redirect in a circle', async (t) => {
    const [reader, url, server] = await withRedirect(t, '/m/a');
    await assert.rejects(reader.open(url, 0, signal), { code: 'source_refused', message: /more than 5 redirects/ });
    assert.equal(server.requests.length, 6);
  });

  const refusals: [status: number, code: string][] = [
    [403, 'source_refused'],
    [401, 'source_refused'],
    [400, 'source_refused'],
    [410, 'source_not_found'],
    [500, 'source_unreachable'],
    [503, 'source_unreachable'],
    [429, 'source_unreachable'],
  ];
  for (const [status, code] of refusals) {
    test(`tells of status ${status} as ${code}, with the server's own words`, async (t) => {
      const server = await startFileServer(t);
      server.misbehave = (_request, answer) => {
        answer.writeHead(status).end('because I say so');
        return true;
      };
      const opened = readerOf(server.origin).open(new URL('/a', server.origin), 0, signal);
      await assert.rejects(opened, { code, message: /because I say so/ });
    });
  }

  test('takes no compressed answer and no other range than it asked for', async (t) => {
    const server = await startFileServer(t);
    const reader = readerOf(server.origin);
    const url = new URL('/a', server.origin);
    server.misbehave = (_request, answer) => Boolean(answer.writeHead(200, { 'content-encoding': 'gzip' }).end('x'));
    await assert.rejects(reader.open(url, 0, signal), { code: 'source_malformed' });
    server.misbehave = (_request, answer) =>
      Boolean(answer.writeHead(206, { 'content-range': 'bytes 0-0/9' }).end('x'));
    await assert.rejects(reader.open(url, 5, signal), { code: 'source_malformed' });
  });

  test('gives a silent server up', async (t) => {
    const server = await startFileServer(t);
    server.misbehave = () => true;
    const list = parseAllowList(server.origin);
    const reader = new HttpSource(new SourceGate('fault' in list ? [] : list, 'any'), 100);
    await assert.rejects(reader.open(new URL('/a', server.origin), 0, signal), {
      code: 'source_unreachable',
      message: /no answer/,
    });
    server.misbehave = (_request, answer) => Boolean(answer.writeHead(200, { 'content-length': 9 }).write('x'));
    await assert.rejects(bytesOf(await reader.open(new URL('/a', server.origin), 0, signal)));
  });

  test('reaches no address that is not within the limit, be it written or resolved', async (t) => {
    const server = await startFileServer(t, { '/a': Buffer.from('a') });
    const { port } = new URL(server.origin);
    const list = parseAllowList(`http://*:${port}`);
    const reader = new HttpSource(new SourceGate('fault' in list ? [] : list, 'private'), 30_000);
    for (const host of ['127.0.0.1', '127.1', '2130706433', '0x7f.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]']) {
      await assert.rejects(
        reader.open(new URL(`http://${host}:${port}/a`), 0, signal),
        { code: 'source_address' },
        host,
      );
    }
    assert.deepEqual(server.requests, []);
  });
});
