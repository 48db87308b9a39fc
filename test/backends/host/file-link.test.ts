import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { FrameType, frame } from '../../../src/protocol/link/frame.ts';
import { until } from '../../adapters/until.ts';
import { RecordedLink } from '../../protocol/link/recorded-link.ts';
import { type Owner, startBackend } from './linked-backend.ts';

/** A link opened by a ticket for files, as another backend has it. */
async function openByTicket(t: Owner): Promise<{ readonly link: RecordedLink; readonly socket: Socket }> {
  const { path } = await startBackend(t);
  const socket = connect(path);
  const link = new RecordedLink(socket, 'router', 'b2-fetches', { hasTicket: true });
  await link.opened;
  return { link, socket };
}

describe('A link opened by a ticket for files', () => {
  test('is told of no models, and answered on files alone', async (t) => {
    const { link } = await openByTicket(t);
    link.link.sendJson(FrameType.call, 1, { verb: 'file', sha256: 'no such', offsetBytes: 0 });
    await until('an answer', () => link.frames.length > 0);
    assert.deepEqual(
      link.frames.map(({ type }) => type),
      [FrameType.result],
    );
    assert.match(link.frames[0]!.payload, /not in its cache/);
  });

  for (const verb of ['load', 'unload', 'statistics', 'find', 'share', 'engine']) {
    test(`ends where it calls for ${verb}`, async (t) => {
      const { link } = await openByTicket(t);
      link.link.sendJson(FrameType.call, 1, { verb });
      assert.match(await link.closed, new RegExp(`a call to ${verb} by a ticket for files`));
      assert.deepEqual(link.frames, []);
    });
  }

  test('ends where it brings a request', async (t) => {
    const { link, socket } = await openByTicket(t);
    socket.write(frame(FrameType.infer, 1, Buffer.alloc(64)));
    assert.match(await link.closed, /by a ticket for files/);
  });
});
