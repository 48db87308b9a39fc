import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAllowList } from '../../../src/fleet/sources/allow-list.ts';
import { S3Source } from '../../../src/fleet/sources/s3-source.ts';
import { SourceGate } from '../../../src/fleet/sources/source-gate.ts';
import { bytesOf } from './file-reader.contract.ts';
import { startFileServer } from './file-server.ts';

const signal = new AbortController().signal;

describe('S3Source', () => {
  test('reads the bucket that is allowed and none beside it, however the key is written', async (t) => {
    const server = await startFileServer(t, {
      '/models/key': Buffer.from('ours'),
      '/others/key': Buffer.from('theirs'),
    });
    const list = parseAllowList('s3://models');
    const place = { endpoint: server.origin, region: 'us-east-1', pathStyle: true, silenceMs: 10_000 };
    const gate = new SourceGate('fault' in list ? [] : list, 'any');
    const reader = new S3Source(gate, { ...place, credentials: () => Promise.resolve(undefined) });
    assert.equal(String(await bytesOf(await reader.open(new URL('s3://models/key'), 0, signal))), 'ours');
    for (const url of ['s3://models/..%2Fothers/key', 's3://models/a/..%2F..%2Fothers/key']) {
      await assert.rejects(reader.open(new URL(url), 0, signal), { code: 'source_not_allowed' });
    }
    assert.deepEqual(server.requests, ['/models/key']);
  });
});
