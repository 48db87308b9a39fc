import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { FrameType, flagEnd, jsonFrame } from '../../../src/protocol/link/frame.ts';
import { decodeReplyHead } from '../../../src/protocol/link/infer-head.ts';
import type { Call } from '../../../src/protocol/link/messages.ts';
import { until } from '../../adapters/until.ts';
import { type RecordedFrame, recordedConversation, wholeFrames } from '../../protocol/link/recorded-conversation.ts';
import { startBackend } from './linked-backend.ts';

const isAnswer = ({ type, flags }: RecordedFrame) =>
  type === FrameType.result || type === FrameType.error || (flags & flagEnd) !== 0;

/** Whoever reads `before` finds all of it in `now`, each member as what it was. */
function assertHolds(now: unknown, before: unknown, where: string): void {
  if (Array.isArray(before)) {
    assert.ok(Array.isArray(now) && now.length === before.length, where);
    for (const [i, one] of before.entries()) assertHolds(now[i], one, `${where}[${i}]`);
  } else if (typeof before === 'object' && before !== null) {
    for (const [name, one] of Object.entries(before)) {
      assertHolds((now as Record<string, unknown> | undefined)?.[name], one, `${where}.${name}`);
    }
  } else assert.equal(typeof now, typeof before, where);
}

function assertAnswers(now: readonly RecordedFrame[], before: readonly RecordedFrame[], where: string): void {
  assert.deepEqual(
    now.map(({ type }) => type),
    before.map(({ type }) => type),
    where,
  );
  for (const [i, { type, payload }] of before.entries()) {
    const found = now[i]!.payload;
    if (type === FrameType.reply) {
      const [head, wanted] = [decodeReplyHead(found), decodeReplyHead(payload)];
      assert.deepEqual([head.bodyBytes, head.headerLength], [wanted.bodyBytes, wanted.headerLength]);
    } else if (type === FrameType.data) assert.equal(found.toString(), payload.toString());
    else assertHolds(JSON.parse(found.toString()), JSON.parse(payload.toString()), where);
  }
}

test('LinkServer answers a router of an earlier version with all that its own backend said', async (t) => {
  const recorded = recordedConversation();
  let socket: Socket | undefined;
  t.after(() => socket?.destroy()); // before the backend waits for it
  const { engine, path } = await startBackend(t);
  socket = connect(path);
  let heard = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
  });
  const answersTo = (stream: number) => wholeFrames(heard).filter((one) => one.stream === stream);
  socket.write(recorded.router[0]!.bytes);
  await until('the first state', () => answersTo(0).length === 2);
  const opening = recorded.backend.filter(({ stream }) => stream === 0).slice(0, 2);
  assertAnswers(answersTo(0), opening, 'hello and state');
  for (let stream = 1; stream <= 6; stream++) {
    for (const { bytes, payload } of recorded.router.filter((one) => one.stream === stream)) {
      const call = stream === 1 ? (JSON.parse(payload.toString()) as Call) : undefined;
      // Where its files were is all that cannot be as it was.
      if (call?.verb === 'load') {
        const { directory } = engine.add(call.copy.model, { bytes: 1_024 });
        socket.write(jsonFrame(FrameType.call, stream, { ...call, copy: { ...call.copy, directory } }));
      } else socket.write(bytes);
    }
    await until(`an answer to ${stream}`, () => answersTo(stream).some(isAnswer));
    const before = recorded.backend.filter((one) => one.stream === stream);
    assertAnswers(answersTo(stream), before, `stream ${stream}`);
  }
});
