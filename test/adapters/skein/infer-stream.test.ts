/** Answers that lie where others are read to once they are spent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackendSession } from '../../../src/adapters/adapter.ts';
import { SkeinAdapter } from '../../../src/adapters/skein/skein-adapter.ts';
import { seededRandom } from '../../fixtures/random.ts';
import { wholeBody } from '../client-body.ts';
import { RecordedBackend } from '../recorded-backend.ts';
import { RecordedReply } from '../recorded-reply.ts';
import { until } from '../until.ts';
import { startFakeLinkServer } from './fake-link-server.ts';

const rounds = 60;
const atOnce = 8;
const mostBytes = 300_000;

/** Reads an answer to its end, and then no more. */
class ReadReply extends RecordedReply {
  text: Buffer = Buffer.alloc(0);

  override onEnd(): boolean {
    this.text = this.body;
    super.onEnd();
    return true;
  }
}

test('An answer stays as it is until its reader is done with it, whatever comes behind it', async (t) => {
  const server = await startFakeLinkServer();
  const backend = new RecordedBackend();
  const stop = new AbortController();
  const session: BackendSession = await new SkeinAdapter({ id: 'r1', software: 'test' }).connect(
    server.record,
    backend,
    stop.signal,
  );
  t.after(async () => {
    session.close('the test is over');
    await server.die();
  });
  await until('the first state', () => backend.copies.size === 2);
  const random = seededRandom(1);
  const kept: { sent: Buffer; reply: RecordedReply }[] = [];
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        const sent = Buffer.alloc(Math.ceil(random() * mostBytes), Math.floor(random() * 256));
        const reply = random() < 0.2 ? new RecordedReply() : new ReadReply();
        const call = { copy: backend.ofModel('first')!, dialect: 'v2' as const, body: wholeBody(sent), timeoutMs: 0 };
        session.infer({ ...call, headerLength: undefined, traceparent: '', versionNamed: false }, reply);
        await reply.over;
        if (reply instanceof ReadReply) assert.ok(reply.text.equals(sent));
        else kept.push({ sent, reply });
      }),
    );
  }
  assert.ok(kept.length > rounds);
  for (const { sent, reply } of kept) assert.ok(reply.body.equals(sent));
});
