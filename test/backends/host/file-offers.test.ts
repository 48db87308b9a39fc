import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FileOffers } from '../../../src/backends/host/file-offers.ts';
import { sha256, someBytes } from '../../fleet/sources/file-server.ts';
import { acquire, serveModels } from '../../fleet/sources/served-models.ts';

describe('FileOffers', () => {
  test('hands out parts of what the cache holds, and nothing else', async (t) => {
    const weights = someBytes(600_000);
    const { add, open } = await serveModels(t);
    const fetcher = await open();
    await acquire(fetcher, add('m', { '1/model.onnx': weights }));
    const offers = new FileOffers('b1', fetcher);
    const first = await offers.piece(sha256(weights), 0);
    const bytes = Buffer.from(first.data, 'base64');
    assert.ok(bytes.byteLength > 0 && bytes.byteLength < weights.byteLength);
    assert.equal(first.sizeBytes, weights.byteLength);
    assert.ok(bytes.equals(weights.subarray(0, bytes.byteLength)));
    const last = await offers.piece(sha256(weights), weights.byteLength - 5);
    assert.ok(Buffer.from(last.data, 'base64').equals(weights.subarray(-5)));
    const refused = { code: 'backend_cannot' };
    for (const name of [sha256('other'), '../SHA256SUMS', '']) await assert.rejects(offers.piece(name, 0), refused);
    for (const offset of [-1, 600_001, NaN]) await assert.rejects(offers.piece(sha256(weights), offset), refused);
    await assert.rejects(new FileOffers('b1', undefined).piece(sha256(weights), 0), refused);
  });

  test('reads for few at once, and refuses the others at once', async (t) => {
    const { add, open } = await serveModels(t);
    const fetcher = await open();
    const weights = someBytes(1_000);
    await acquire(fetcher, add('m', { '1/model.onnx': weights }));
    const offers = new FileOffers('b1', fetcher);
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => offers.piece(sha256(weights), 0)));
    assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 4);
    await offers.piece(sha256(weights), 0);
  });
});
