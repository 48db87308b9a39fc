import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Host } from '../../../src/backends/host/host.ts';
import { LinkServer } from '../../../src/backends/host/link-server.ts';
import { FrameType, frame } from '../../../src/protocol/link/frame.ts';
import { until } from '../../adapters/until.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { RecordedLink } from '../../protocol/link/recorded-link.ts';
import { FakeEngine } from './fake-engine.ts';

const bytes = 2 ** 30;

type Owner = { after(hook: () => unknown): void };

/** A link opened by a ticket for files, as another backend has it. */
async function openByTicket(t: Owner): Promise<{ readonly link: RecordedLink; readonly socket: Socket }> {
  const host = new Host({
    ...{ id: 'b1', software: 'test', engine: new FakeEngine(temporaryDirectory(t)) },
    ...{ budgetBytes: bytes, ceilingBytes: bytes, loads: 2, cores: 4, threads: 1, threadsAreGiven: false },
    ...{ defaultMaxBatchSize: 8, defaultMaxQueueSize: 100, bodyMemoryBytes: bytes, warn: () => {}, trace: () => {} },
  });
  const server = new LinkServer(host, () => {});
  const path = join(tmpdir(), `skein-file-link-${process.pid}.sock`);
  await server.listen(`unix:${path}`);
  const socket = connect(path);
  t.after(() => {
    socket.destroy();
    return server.close();
  });
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
