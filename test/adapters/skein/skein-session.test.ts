import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { SkeinAdapter } from '../../../src/adapters/skein/skein-adapter.ts';
import { FrameType, flagEnd } from '../../../src/protocol/link/frame.ts';
import type { BackendState, CopyFacts } from '../../../src/protocol/link/messages.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { recordedConversation, wholeFrames } from '../../protocol/link/recorded-conversation.ts';
import { wholeBody } from '../client-body.ts';
import { RecordedReply } from '../recorded-reply.ts';

/** Says what a backend of an earlier version said, each stream's part when the stream's request is there. */
function startRecordedBackend(path: string) {
  const { backend } = recordedConversation();
  const say = (wanted: number) =>
    Buffer.concat(backend.filter(({ stream }) => stream === wanted).map(({ bytes }) => bytes));
  const opening = Buffer.concat(backend.slice(0, 2).map(({ bytes }) => bytes));
  const server = createServer((socket) => {
    let heard = Buffer.alloc(0);
    const answered = new Set<number>();
    socket.on('error', () => {}).write(opening);
    socket.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      for (const { stream, type, flags } of wholeFrames(heard)) {
        const isWhole = type === FrameType.call || (flags & flagEnd) !== 0;
        if (stream === 0 || !isWhole || answered.has(stream)) continue;
        answered.add(stream);
        socket.write(say(stream));
      }
    });
  });
  return new Promise<typeof server>((resolve) => server.listen(path, () => resolve(server)));
}

test('SkeinSession understands a backend of an earlier version', async (t) => {
  const path = join(temporaryDirectory(t), 'link.sock');
  const server = await startRecordedBackend(path);
  t.after(() => server.close());
  const told = Promise.withResolvers<BackendState>();
  const events = { onState: told.resolve, onStalled: () => {}, onLost: () => {} };
  const target = { id: 'b1', kind: 'skein', address: `unix:${path}`, engines: ['onnx'] };
  const adapter = new SkeinAdapter({ id: 'r1', software: 'test' });
  const session = await adapter.connect(target, events, new AbortController().signal);
  t.after(() => session.close('the test is over'));
  const infer = async (copy: CopyFacts) => {
    const call = { copy, dialect: 'v2' as const, body: wholeBody(Buffer.from('{}')), timeoutMs: 0 };
    const reply = new RecordedReply();
    session.infer({ ...call, headerLength: undefined, traceparent: '', versionNamed: false }, reply);
    await reply.over;
    return reply;
  };
  assert.equal(session.software, 'test');
  assert.equal((await told.promise).budgetBytes, 2 ** 30);
  const spec = { model: 'a', version: 1, directory: '/a', stamp: 's1', pinned: false, wanted: true };
  const copy = await session.load(spec);
  assert.deepEqual([copy.id, copy.model, copy.phase, copy.residentBytes], [1, 'a', 'ready', 1_024]);
  const { outputs } = JSON.parse((await infer(copy)).body.toString()) as { outputs: { data: unknown[] }[] };
  assert.deepEqual(
    outputs.map(({ data }) => data),
    [[1, 2], ['a']],
  );
  const description = await session.describe(copy);
  assert.deepEqual(
    [description.maxBatchSize, description.signature.inputs.map(({ name }) => name)],
    [8, ['x', 'name']],
  );
  assert.equal((await session.statistics('a'))[0]!.inference_count, 1);
  assert.equal((await infer({ ...copy, id: 77 })).error?.code, 'copy_gone');
  await session.unload(copy);
});
