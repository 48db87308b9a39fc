import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { PeerFiles } from '../../../src/fleet/sources/file-reader.ts';
import type { FetchProgress, ModelFetcher } from '../../../src/fleet/sources/model-fetcher.ts';
import { sha256, someBytes } from './file-server.ts';
import { acquire, serveModels } from './served-models.ts';

const weights = someBytes(200_000);
const model = {
  '1/model.onnx': someBytes(1_000),
  '1/weights.bin': weights,
  '2/model.onnx': someBytes(900, 2),
  'config.pbtxt': Buffer.from('x'),
};

function shownFiles(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(directory.length + 1))
    .sort();
}

/** A fake of the links between backends: hands out what another fetcher has, `most` bytes a file before it is gone. */
function fakePeers(peer: ModelFetcher, most = Infinity): PeerFiles {
  const gone = new Set<string>();
  return {
    open: async (_peers, digest, offsetBytes) => {
      const piece = gone.has(digest) ? undefined : await peer.piece(digest, offsetBytes, 2 ** 30);
      if (piece === undefined) return undefined;
      const bytes = (async function* () {
        yield piece.bytes.subarray(0, most);
        if (piece.bytes.byteLength <= most) return;
        gone.add(digest);
        throw new Error('the peer was killed');
      })();
      return { offsetBytes, sizeBytes: piece.sizeBytes, bytes };
    },
  };
}

describe('ModelFetcher', () => {
  test('lays one version out as in a repository, and tells how far it is', async (t) => {
    const { add, open } = await serveModels(t);
    const told: FetchProgress[] = [];
    const lease = await (await open()).acquire(add('m', model), 1, (progress) => told.push(progress));
    assert.deepEqual(shownFiles(lease.directory), ['1/model.onnx', '1/weights.bin', 'config.pbtxt']);
    assert.ok(readFileSync(join(lease.directory, '1/weights.bin')).equals(weights));
    assert.deepEqual(told.at(-1), { doneBytes: 201_001, totalBytes: 201_001 });
  });

  test('takes a single model file', async (t) => {
    const { server, open } = await serveModels(t);
    server.files.set('/some-model.onnx', weights);
    const source = { url: `${server.origin}/some-model.onnx`, sha256: sha256(weights) };
    const lease = await acquire(await open(), source, 3);
    assert.deepEqual(shownFiles(lease.directory), ['3/model.onnx']);
  });

  test('fetches each file once, however many ask for it at once, and never again while it is kept', async (t) => {
    const { server, add, open } = await serveModels(t);
    const [source, fetcher] = [add('m', model), await open()];
    const leases = await Promise.all([1, 1, 2].map((version) => acquire(fetcher, source, version)));
    assert.equal(new Set(leases.map(({ directory }) => directory)).size, 3);
    for (const lease of leases) await lease.release();
    await acquire(await open(), source);
    assert.deepEqual(
      [...server.requests].sort(),
      ['SHA256SUMS', '1/model.onnx', '1/weights.bin', '2/model.onnx', 'config.pbtxt']
        .map((path) => `/m/${path}`)
        .sort(),
    );
    assert.deepEqual([fetcher.figures().fetched, fetcher.figures().failed], [5, 0]);
  });

  test('fetches a new version alone where the other files are the same', async (t) => {
    const { server, add, open } = await serveModels(t);
    const fetcher = await open();
    await acquire(fetcher, add('m', { '1/model.onnx': weights, 'config.pbtxt': Buffer.from('x') }));
    server.requests.length = 0;
    await acquire(fetcher, add('m', { '2/model.onnx': someBytes(10), 'config.pbtxt': Buffer.from('x') }), 2);
    assert.deepEqual(server.requests.sort(), ['/m/2/model.onnx', '/m/SHA256SUMS']);
  });

  test('takes no list and no file of another digest, and names both', async (t) => {
    const { server, add, open } = await serveModels(t);
    const [source, fetcher] = [add('m', model), await open()];
    await assert.rejects(acquire(fetcher, { ...source, sha256: sha256('other') }), {
      code: 'digest_mismatch',
      message: new RegExp(`SHA256SUMS has SHA-256 ${source.sha256}, the catalogue says ${sha256('other')}`),
    });
    server.files.set('/m/1/weights.bin', someBytes(200_000, 9));
    await assert.rejects(acquire(fetcher, source), { code: 'digest_mismatch' });
    assert.equal(fetcher.figures().mismatched, 2);
    server.files.set('/m/1/weights.bin', weights);
    await acquire(fetcher, source);
  });

  test('says what is wrong with a list', async (t) => {
    const { server, open } = await serveModels(t);
    const fetcher = await open();
    for (const [text, reason] of [
      ['nonsense', /line 1/],
      [`${sha256('x')}  2/model.onnx\n`, /no file of version 1/],
    ] as const) {
      server.files.set('/list', Buffer.from(text));
      await assert.rejects(acquire(fetcher, { url: `${server.origin}/list`, sha256: sha256(text) }), {
        code: 'source_malformed',
        message: reason,
      });
    }
  });

  test('keeps within its bound, gives up the least recently used, and never what is in use', async (t) => {
    const { add, open } = await serveModels(t);
    const fetcher = await open({ cacheBytes: 2 ** 20 });
    const sources = [1, 2, 3].map((i) => add(`m${i}`, { '1/model.onnx': someBytes(450_000, i) }));
    const first = await acquire(fetcher, sources[0]!);
    await (await acquire(fetcher, sources[1]!)).release();
    const third = await acquire(fetcher, sources[2]!);
    assert.equal(fetcher.figures().evicted, 2, 'the second model and its list');
    await assert.rejects(acquire(fetcher, sources[1]!), { code: 'source_cache_full' });
    assert.ok(readFileSync(join(first.directory, '1/model.onnx')).equals(someBytes(450_000, 1)));
    await third.release();
    await acquire(fetcher, sources[1]!);
    assert.ok(fetcher.figures().cacheBytes <= 2 ** 20);
  });

  test('throws away what rotted on the disk once a load has failed with it', async (t) => {
    const { server, cacheDir, add, open } = await serveModels(t);
    const [source, fetcher] = [add('m', { '1/model.onnx': weights }), await open()];
    const lease = await acquire(fetcher, source);
    writeFileSync(join(cacheDir, 'files', sha256(weights)), someBytes(200_000, 5));
    await lease.release(true);
    server.requests.length = 0;
    const again = await acquire(fetcher, source);
    assert.deepEqual(server.requests, ['/m/1/model.onnx']);
    assert.ok(readFileSync(join(again.directory, '1/model.onnx')).equals(weights));
  });

  test('reads nothing that is not allowed, be it in the cache or not', async (t) => {
    const { add, open } = await serveModels(t);
    const source = add('m', model);
    await acquire(await open(), source);
    const other = await open({ allow: 'https://models.example.com' });
    await assert.rejects(acquire(other, source), { code: 'source_not_allowed' });
  });

  test('takes from a peer what that has, and the rest from the source', async (t) => {
    const [one, other] = [await serveModels(t), await serveModels(t)];
    const source = one.add('m', model);
    const peer = await one.open();
    await acquire(peer, source, 1);
    one.server.requests.length = 0;
    const fetcher = await other.open({ allow: one.server.origin }, fakePeers(peer));
    const lease = await acquire(fetcher, source, 2);
    assert.deepEqual(shownFiles(lease.directory), ['2/model.onnx', 'config.pbtxt']);
    assert.deepEqual(one.server.requests, ['/m/2/model.onnx']);
    assert.equal(fetcher.figures().fromPeers, 2);
  });

  test('goes on at the source, from where it was, when a peer is killed in the middle of a file', async (t) => {
    const [one, other] = [await serveModels(t), await serveModels(t)];
    const source = one.add('m', model);
    const peer = await one.open();
    await acquire(peer, source, 1);
    one.server.requests.length = 0;
    const fetcher = await other.open({ allow: one.server.origin }, fakePeers(peer, 50_000));
    const lease = await acquire(fetcher, source, 1);
    assert.ok(readFileSync(join(lease.directory, '1/weights.bin')).equals(weights));
    assert.deepEqual(one.server.requests, ['/m/1/weights.bin bytes=50000-']);
    const { resumed, fromPeers, failed } = fetcher.figures();
    assert.deepEqual([resumed, fromPeers, failed], [1, 3, 0]);
    assert.ok(peer.figures().offeredBytes! > 0);
  });

  test('asks the source where a peer sends something else', async (t) => {
    const { add, open } = await serveModels(t);
    const bytes = (async function* () {
      yield someBytes(10, 7);
    })();
    const source = add('m', { '1/model.onnx': weights });
    const fetcher = await open(
      {},
      {
        open: (_peers, digest) =>
          Promise.resolve(digest === sha256(weights) ? { offsetBytes: 0, sizeBytes: undefined, bytes } : undefined),
      },
    );
    const lease = await acquire(fetcher, source);
    assert.ok(readFileSync(join(lease.directory, '1/model.onnx')).equals(weights));
    assert.equal(fetcher.figures().fromPeers, 0);
  });
});
