import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Adapter, BackendSession } from '../../../src/adapters/adapter.ts';
import { LinkPeers } from '../../../src/backends/host/link-peers.ts';
import { someBytes } from '../../fleet/sources/file-server.ts';

const file = someBytes(1_000);
const peer = (id: string) => ({ id, address: `tcp://${id}:1` });
const forever = new AbortController().signal;

/** A fake of the links to other backends: what each answers to a wish for a piece; closed sessions are counted. */
function links(answers: Readonly<Record<string, (offset: number) => Promise<Uint8Array>>>) {
  const asked: string[] = [];
  let open = 0;
  const connect: Adapter['connect'] = async ({ id }) => {
    asked.push(id);
    const answer = answers[id];
    if (answer === undefined) throw new Error('nobody is there');
    open++;
    const readFile = async (_sha256: string, offset: number) => ({
      sizeBytes: file.byteLength,
      data: Buffer.from(await answer(offset)).toString('base64'),
    });
    return { readFile, close: () => open-- } as unknown as BackendSession;
  };
  return { peers: new LinkPeers(() => ({ kind: 'skein', connect }), 'self'), asked, open: () => open };
}

async function read(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('LinkPeers', () => {
  test('reads a file piece by piece from the first peer that has it, and never asks itself', async () => {
    const { peers, asked, open } = links({
      without: () => Promise.reject(new Error('not in its cache')),
      self: async () => file,
      has: async (offset) => file.subarray(offset, offset + 300),
    });
    const found = await peers.open([peer('self'), peer('gone'), peer('without'), peer('has')], 'sha', 100, forever);
    assert.deepEqual([found?.offsetBytes, found?.sizeBytes], [100, 1_000]);
    assert.ok((await read(found!.bytes)).equals(file.subarray(100)));
    assert.deepEqual(asked, ['gone', 'without', 'has', 'has']);
    assert.equal(open(), 0, 'no link stays open');
  });

  test('has nothing where no peer has it', async () => {
    const { peers, open } = links({ without: () => Promise.reject(new Error('busy')) });
    assert.equal(await peers.open([peer('gone'), peer('without')], 'sha', 0, forever), undefined);
    assert.equal(await peers.open([], 'sha', 0, forever), undefined);
    assert.equal(open(), 0);
  });

  test('breaks off where the peer does, or has no more, and leaves no link open', async () => {
    for (const end of [() => Promise.reject(new Error('killed')), async () => new Uint8Array()]) {
      const { peers, open } = links({
        has: (offset) => (offset === 0 ? Promise.resolve(file.subarray(0, 10)) : end()),
      });
      const found = await peers.open([peer('has')], 'sha', 0, forever);
      await assert.rejects(read(found!.bytes), /killed|no more of it/);
      assert.equal(open(), 0);
    }
  });
});
