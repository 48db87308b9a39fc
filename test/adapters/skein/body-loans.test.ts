import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BodyLoans } from '../../../src/adapters/skein/body-loans.ts';
import type { LinkConnection } from '../../../src/protocol/link/connection.ts';
import { decodeLoan, FrameType, flagEnd } from '../../../src/protocol/link/frame.ts';
import { SharedBodies } from '../../../src/protocol/reads/shared-bodies.ts';

const unit = 64 * 1024;

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
