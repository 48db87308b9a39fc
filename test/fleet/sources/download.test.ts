import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { DiskCache } from '../../../src/fleet/sources/disk-cache.ts';
import { type Downloaded, download } from '../../../src/fleet/sources/download.ts';
import { HttpSource } from '../../../src/fleet/sources/http-source.ts';
import { PartialFile } from '../../../src/fleet/sources/partial-file.ts';
import { SourceGate } from '../../../src/fleet/sources/source-gate.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { type FileServer, sha256, someBytes, startFileServer } from './file-server.ts';

const content = someBytes(100_000);

/** What an earlier process left in the cache is `left`. */
async function fetchFrom(
  t: TestContext,
  server: FileServer,
  left?: Uint8Array,
): Promise<Downloaded & { bytes: Buffer }> {
  const root = temporaryDirectory(t);
  mkdirSync(join(root, 'partial'));
  const digest = sha256(content);
  if (left !== undefined) writeFileSync(join(root, 'partial', digest), left);
  const cache = await DiskCache.open(root, 2 ** 20);
  const file = await PartialFile.open(digest, cache);
  const list = [{ protocol: 'http:', host: '127.0.0.1', port: new URL(server.origin).port, path: '' }];
  const source = new HttpSource(new SourceGate(list, 'any'), 10_000);
  const url = new URL('/a', server.origin);
  const signal = new AbortController().signal;
  const options = { name: url.href, signal, onProgress: () => {}, wait: () => Promise.resolve() };
  try {
    const done = await download(
      file,
      [{ from: 'source', open: (offset, ended) => source.open(url, offset, ended) }],
      options,
    );
    await file.commit();
    return { ...done, bytes: readFileSync(join(root, 'files', digest)) };
  } catch (fault) {
    await file.close();
    throw fault;
  }
}

describe('download', () => {
  test('goes on where a transfer broke off', async (t) => {
    const server = await startFileServer(t, { '/a': content });
    server.breakAfter = [30_000, 30_000];
    const { bytes, resumed } = await fetchFrom(t, server);
    assert.ok(bytes.equals(content));
    assert.equal(resumed, true);
    assert.deepEqual(server.requests, ['/a', '/a bytes=30000-', '/a bytes=60000-']);
  });

  test('goes on with what an earlier process left', async (t) => {
    const server = await startFileServer(t, { '/a': content });
    assert.ok((await fetchFrom(t, server, content.subarray(0, 99_000))).bytes.equals(content));
    assert.deepEqual(server.requests, ['/a bytes=99000-']);
  });

  test('begins anew where the server cannot go on', async (t) => {
    const server = await startFileServer(t, { '/a': content });
    server.ignoresRanges = true;
    server.breakAfter = [30_000];
    assert.ok((await fetchFrom(t, server)).bytes.equals(content));
  });

  for (const [what, left] of [
    ['other bytes', someBytes(500, 8)],
    ['too much', someBytes(200_000, 8)],
    ['all of it, spoilt', someBytes(100_000, 8)],
  ] as const) {
    test(`begins anew where an earlier process left ${what}`, async (t) => {
      const server = await startFileServer(t, { '/a': content });
      assert.ok((await fetchFrom(t, server, left)).bytes.equals(content));
    });
  }

  test('asks nobody for what is here whole but for its last byte', async (t) => {
    const server = await startFileServer(t, { '/a': content });
    assert.ok((await fetchFrom(t, server, content.subarray(0, 99_999))).bytes.equals(content));
    assert.deepEqual(server.requests, ['/a bytes=99999-']);
  });

  test('gives up a file that ends early every time, without a byte more', async (t) => {
    const server = await startFileServer(t, { '/a': content });
    server.breakAfter = new Array(20).fill(0);
    await assert.rejects(fetchFrom(t, server), { code: 'source_unreachable' });
    assert.equal(server.requests.length, 4);
  });

  test('gives up at once where the server refuses', async (t) => {
    const server = await startFileServer(t);
    await assert.rejects(fetchFrom(t, server), { code: 'source_not_found' });
    assert.equal(server.requests.length, 1);
  });

  test('tries a server that is overloaded again', async (t) => {
    const server = await startFileServer(t, { '/a': content });
    let refusals = 2;
    server.misbehave = (_request, answer) => refusals-- > 0 && Boolean(answer.writeHead(503).end());
    assert.ok((await fetchFrom(t, server)).bytes.equals(content));
  });

  test('brings the whole file whatever breaks, as long as each try brings something', async (t) => {
    const server = await startFileServer(t, { '/a': content });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 5 }),
        fc.boolean(),
        async (breaks, ignores) => {
          server.breakAfter = [...breaks];
          server.ignoresRanges = ignores;
          if (ignores) server.breakAfter.length = Math.min(3, breaks.length);
          assert.ok((await fetchFrom(t, server)).bytes.equals(content));
        },
      ),
      { numRuns: 15 },
    );
  });
});
