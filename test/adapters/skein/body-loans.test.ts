import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BodyLoans } from '../../../src/adapters/skein/body-loans.ts';
import { InferStream } from '../../../src/adapters/skein/infer-stream.ts';
import type { LinkConnection } from '../../../src/protocol/link/connection.ts';
import { decodeLoan, FrameType, flagEnd } from '../../../src/protocol/link/frame.ts';
import type { CopyFacts } from '../../../src/protocol/link/messages.ts';
import { NumberedTable } from '../../../src/protocol/link/numbered-table.ts';
import { SharedBodies } from '../../../src/protocol/reads/shared-bodies.ts';
import { RecordedLink } from '../../protocol/link/recorded-link.ts';
import { socketPair } from '../../protocol/link/socket-pair.ts';
import { clientBody } from '../client-body.ts';
import { RecordedReply } from '../recorded-reply.ts';
import { until } from '../until.ts';

const unit = 64 * 1024;
const noFacts: CopyFacts = {
  ...{ id: 1, model: 'm', version: 1, stamp: '', residentBytes: 0, peakBytes: 0, loadMs: 0 },
  ...{ phase: 'ready', slots: 1, inFlight: 0, latencyUs: 0 },
};

/** A fake of a link: what is sent on it is remembered. */
class FakeLink implements Pick<LinkConnection, 'send'> {
  readonly loans: { stream: number; offset: number; length: number; end: boolean }[] = [];

  send(type: FrameType, stream: number, payload: Uint8Array, flags: number): void {
    assert.equal(type, FrameType.loan);
    this.loans.push({ stream, ...decodeLoan(payload as Buffer), end: flags === flagEnd });
  }
}

function lending() {
  const bodies = new SharedBodies({ path: '', bytes: Buffer.alloc(16 * unit) });
  const link = new FakeLink();
  return { bodies, link, loans: new BodyLoans(link, bodies) };
}

describe('BodyLoans', () => {
  test('tells of a body once it is whole, in one frame', () => {
    const { bodies, link, loans } = lending();
    const body = bodies.take(100_000, 0)!;
    assert.ok(loans.lend(3, body.bytes.subarray(0, 60_000), false));
    assert.ok(loans.lend(3, body.bytes.subarray(60_000), false));
    assert.deepEqual(link.loans, []);
    assert.ok(loans.lend(3, Buffer.alloc(0), true));
    assert.deepEqual(link.loans, [{ stream: 3, offset: body.offset, length: 100_000, end: true }]);
    body.release();
    assert.equal(bodies.usedBytes, 2 * unit);
    loans.settle(3);
    assert.equal(bodies.usedBytes, 0);
  });

  test('leaves what lies elsewhere to be sent, and what follows a whole body', () => {
    const { bodies, link, loans } = lending();
    const body = bodies.take(unit, 0)!;
    assert.equal(loans.lend(1, Buffer.from('elsewhere'), false), false);
    assert.equal(loans.lend(1, Buffer.alloc(0), true), false);
    assert.ok(loans.lend(2, body.bytes.subarray(0, 10), false));
    assert.equal(loans.lend(2, Buffer.from('elsewhere'), false), false);
    assert.deepEqual(link.loans, [{ stream: 2, offset: body.offset, length: 10, end: false }]);
    assert.equal(loans.lend(2, Buffer.alloc(0), true), false);
  });

  test('tells apart what does not lie one behind the other', () => {
    const { bodies, link, loans } = lending();
    const { bytes, offset } = bodies.take(unit, 0)!;
    assert.ok(loans.lend(1, bytes.subarray(0, 10), false));
    assert.ok(loans.lend(1, bytes.subarray(20, 30), true));
    assert.deepEqual(
      link.loans.map(({ offset: at, length, end }) => [at - offset, length, end]),
      [
        [0, 10, false],
        [20, 10, true],
      ],
    );
  });

  test('has back at once what was given up before the backend knew of it, and the rest when the backend says so', () => {
    const { bodies, loans } = lending();
    const [early, late] = [bodies.take(unit, 0)!, bodies.take(unit, 0)!];
    loans.lend(1, early.bytes, false);
    loans.lend(2, late.bytes, true);
    early.release();
    late.release();
    loans.cancel(1);
    loans.cancel(2);
    assert.equal(bodies.usedBytes, unit);
    loans.settle(2);
    loans.settle(2);
    assert.equal(bodies.usedBytes, 0);
  });

  test('does not give the place of a body away at once when the link ends', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { bodies, loans } = lending();
    const body = bodies.take(unit, 0)!;
    loans.lend(1, body.bytes, true);
    body.release();
    loans.close();
    t.mock.timers.tick(9_999);
    assert.equal(bodies.usedBytes, unit);
    t.mock.timers.tick(1);
    assert.equal(bodies.usedBytes, 0);
  });
});

/** What a backend hears of one stream, in the order in which it does. */
class HeardBody extends RecordedLink {
  readonly heard: Buffer[] = [];
  isWhole = false;
  memory: Buffer = Buffer.alloc(0);

  override onFrame(type: number, stream: number, flags: number, payload: Buffer): void {
    if (type !== FrameType.loan) return;
    const { offset, length } = decodeLoan(payload);
    this.#take(stream, this.memory.subarray(offset, offset + length), flags === flagEnd);
  }

  override onData(stream: number, piece: Buffer, end: boolean): void {
    if (!end) this.link.grant(stream, piece.length);
    this.#take(stream, Buffer.from(piece), end);
  }

  #take(stream: number, piece: Buffer, end: boolean): void {
    if (stream !== 2) return;
    assert.equal(this.isWhole, false, 'a body that goes on after its end');
    this.heard.push(piece);
    this.isWhole = end;
  }
}

test('What of a body is lent does not overtake what was sent and waits for the backend', async (t) => {
  const [near, far] = await socketPair();
  const router = new RecordedLink(near, 'router');
  const backend = new HeardBody(far, 'backend');
  await Promise.all([router.opened, backend.opened]);
  t.after(() => {
    router.link.close('the test is over');
    backend.link.close('the test is over');
  });
  const bodies = new SharedBodies({ path: '', bytes: Buffer.alloc(16 * unit) });
  backend.memory = bodies.bytes;
  far.pause();
  router.link.sendBody(1, Buffer.alloc(1024 * 1024), false);
  const shared = bodies.take(200_000, 0)!;
  shared.bytes.fill('b');
  // The beginning came with the request before, and was held elsewhere.
  const { body } = clientBody(260_000);
  const loans = new BodyLoans(router.link, bodies);
  const wires = { link: router.link, open: new NumberedTable<InferStream>(), loans };
  const call = { copy: noFacts, dialect: 'v2', timeoutMs: 0, traceparent: '', versionNamed: false } as const;
  body.push(Buffer.alloc(60_000, 'a'));
  const stream = new InferStream(wires, 2, body, new RecordedReply());
  stream.send({ ...call, headerLength: undefined, body });
  body.push(shared.bytes.subarray(0, 100_000));
  body.push(shared.bytes.subarray(100_000));
  body.end();
  far.resume();
  await until('the body', () => backend.isWhole);
  const expected = Buffer.concat([Buffer.alloc(60_000, 'a'), Buffer.alloc(200_000, 'b')]);
  assert.ok(Buffer.concat(backend.heard).equals(expected));
});
