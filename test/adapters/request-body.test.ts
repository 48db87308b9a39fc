import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type BodySink, pieceOverheadBytes, RequestBody, type RetentionPool } from '../../src/adapters/request-body.ts';

const perRequestBytes = 3_000;
const limitBytes = 6_000;
const largestPiece = 1_000;

class Sink implements BodySink {
  readonly pieces: Uint8Array[] = [];
  ends = 0;
  aborts = 0;
  isReady = true;
  /** What it answered to the last piece, until it asked for more. */
  saidReady = true;

  onPiece(piece: Uint8Array, end: boolean): boolean {
    assert.equal(this.ends, 0, 'a piece after the end');
    this.pieces.push(piece);
    if (end) this.ends += 1;
    this.saidReady = this.isReady;
    return this.isReady;
  }

  onAborted(): void {
    this.aborts += 1;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

/** A body, its source, and beside it what it should be. */
class Tried {
  readonly body: RequestBody;
  isPaused = false;
  readonly pushed: Buffer[] = [];
  hasEnded = false;
  isReleased = false;
  sink: Sink | undefined;

  constructor(pool: RetentionPool) {
    this.body = new RequestBody(undefined, pool, {
      pause: () => {
        assert.ok(!this.isPaused, 'paused twice');
        this.isPaused = true;
      },
      resume: () => {
        assert.ok(this.isPaused, 'resumed though it was not paused');
        this.isPaused = false;
      },
    });
  }

  get whole(): Buffer {
    return Buffer.concat(this.pushed);
  }
}

type Operation = { readonly which: number } & (
  | { readonly kind: 'push'; readonly bytes: number; readonly ready: boolean }
  | { readonly kind: 'end' | 'abort' | 'release' | 'detach' | 'sinkResumes' }
  | { readonly kind: 'attach'; readonly ready: boolean }
);

const which = fc.nat(2);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      which,
      kind: fc.constant('push' as const),
      bytes: fc.nat(largestPiece),
      ready: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ which, kind: fc.constant('attach' as const), ready: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({ which, kind: fc.constantFrom('end' as const, 'detach' as const, 'sinkResumes' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ which, kind: fc.constantFrom('abort' as const, 'release' as const) }) },
);

let filler = 0;

function perform(tried: Tried, one: Operation): void {
  const { body } = tried;
  switch (one.kind) {
    case 'push': {
      // A source that was asked to pause pushes nothing.
      if (tried.isPaused || tried.hasEnded) return;
      const piece = Buffer.alloc(one.bytes, ++filler);
      if (tried.sink !== undefined) tried.sink.isReady = one.ready;
      body.push(piece);
      if (!tried.isReleased) tried.pushed.push(piece);
      return;
    }
    case 'end':
      if (tried.isPaused || tried.hasEnded) return;
      tried.hasEnded = true;
      body.end();
      return;
    case 'attach': {
      if (tried.sink !== undefined || (!body.isReplayable && !tried.isReleased)) return;
      const sink = new Sink();
      sink.isReady = one.ready;
      body.attach(sink);
      if (tried.isReleased) assert.deepEqual([sink.aborts, sink.pieces.length], [1, 0]);
      else tried.sink = sink;
      return;
    }
    case 'detach':
      tried.sink = undefined;
      body.detach();
      return;
    case 'sinkResumes':
      if (tried.sink === undefined) return;
      tried.sink.saidReady = true;
      body.resume();
      return;
    case 'release':
    case 'abort': {
      const { sink } = tried;
      const isFirst = one.kind === 'abort' && !tried.isReleased && sink !== undefined;
      if (one.kind === 'abort') body.abort();
      else body.release();
      if (sink !== undefined) assert.equal(sink.aborts, isFirst ? 1 : 0);
      tried.isReleased = true;
      tried.sink = undefined;
      return;
    }
    default:
      one satisfies never;
  }
}

function check(all: readonly Tried[], pool: RetentionPool): void {
  let kept = 0;
  for (const { body, sink, whole, hasEnded, isReleased, isPaused } of all) {
    const keptHere = body.pieces.reduce((sum, { byteLength }) => sum + byteLength + pieceOverheadBytes, 0);
    kept += keptHere;
    if (isReleased) assert.deepEqual([keptHere, isPaused, body.isReplayable], [0, false, false]);
    else {
      assert.equal(body.receivedBytes, whole.length);
      if (body.isReplayable) assert.ok(whole.equals(Buffer.concat(body.pieces)), 'a replayable body lacks pieces');
    }
    if (hasEnded) assert.ok(!isPaused, 'the source is paused after its end');
    if (sink !== undefined) {
      assert.ok(whole.equals(sink.bytes), 'the sink lacks pieces');
      assert.equal(sink.ends, hasEnded ? 1 : 0);
      if (!hasEnded) assert.equal(isPaused, !sink.saidReady);
    }
  }
  assert.equal(pool.usedBytes, kept);
  // Each body may have had one piece on its way when the bound was reached.
  const slack = all.length * (largestPiece + pieceOverheadBytes);
  assert.ok(pool.usedBytes <= limitBytes + slack, `${pool.usedBytes} bytes are kept`);
}

describe('RequestBody', () => {
  test('hands every piece to its sink, keeps within the pool and pauses the source only while it must', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const pool: RetentionPool = { usedBytes: 0, limitBytes, perRequestBytes };
        const all = [new Tried(pool), new Tried(pool), new Tried(pool)];
        for (const one of operations) {
          perform(all[one.which]!, one);
          check(all, pool);
        }
        for (const { body } of all) body.release();
        assert.equal(pool.usedBytes, 0);
      }),
      { numRuns: 1_000 },
    );
  });

  const roomy = () => ({ usedBytes: 0, limitBytes: 1_000_000, perRequestBytes: 100_000 });
  const noFlow = { pause: () => {}, resume: () => {} };

  test('replays from the start to a second sink, and goes on to it', () => {
    const body = new RequestBody(undefined, roomy(), noFlow);
    const [first, second] = [new Sink(), new Sink()];
    body.attach(first);
    body.push(Buffer.from('a'));
    body.push(Buffer.from('b'));
    body.detach();
    body.push(Buffer.from('c'));
    body.attach(second);
    body.push(Buffer.from('d'));
    body.end();
    assert.deepEqual([first.bytes.toString(), first.ends], ['ab', 0]);
    assert.deepEqual([second.bytes.toString(), second.ends], ['abcd', 1]);
  });

  test('tells the end with the last piece where it is known by then, and an empty body by its end alone', () => {
    const body = new RequestBody(2, roomy(), noFlow);
    const empty = new RequestBody(0, roomy(), noFlow);
    const [sink, other] = [new Sink(), new Sink()];
    body.push(Buffer.from('ab'));
    body.end();
    body.attach(sink);
    empty.end();
    empty.attach(other);
    assert.deepEqual([sink.pieces.length, sink.ends], [1, 1]);
    assert.deepEqual([other.bytes.length, other.ends], [0, 1]);
  });

  test('takes nothing more once it was released, so that the pool gets nothing that is never given back', () => {
    const pool = roomy();
    const body = new RequestBody(undefined, pool, noFlow);
    body.push(Buffer.alloc(100));
    body.release();
    body.push(Buffer.alloc(100));
    body.end();
    assert.deepEqual([pool.usedBytes, body.pieces.length], [0, 0]);
  });

  test('lets the source go on once what it had to wait with was taken', () => {
    const tried = new Tried({ usedBytes: 0, limitBytes: 500, perRequestBytes: 500 });
    tried.body.push(Buffer.alloc(600));
    assert.ok(tried.isPaused);
    tried.body.attach(new Sink());
    assert.ok(!tried.isPaused);
  });

  test('bounds very small pieces by what they cost, not by their bytes', () => {
    const tried = new Tried(roomy());
    let pieces = 0;
    while (!tried.isPaused && pieces < 10_000) {
      tried.body.push(Buffer.alloc(1));
      pieces += 1;
    }
    assert.ok(pieces < 1_000, `${pieces} pieces of one byte were kept`);
  });

  test('may be handed to another sink from within a piece, and tells that one everything once', () => {
    const body = new RequestBody(undefined, roomy(), noFlow);
    const second = new Sink();
    const first: BodySink = {
      onPiece: () => {
        body.detach();
        body.attach(second);
        return true;
      },
      onAborted: () => {},
    };
    for (const text of ['a', 'b', 'c']) body.push(Buffer.from(text));
    body.end();
    body.attach(first);
    assert.deepEqual([second.bytes.toString(), second.ends], ['abc', 1]);
  });

  test('takes what the source pushes from within resume', () => {
    const left = ['b', 'c'];
    const body = new RequestBody(undefined, roomy(), {
      pause: () => {},
      resume: () => {
        for (let next = left.shift(); next !== undefined; next = left.shift()) body.push(Buffer.from(next));
        body.end();
      },
    });
    const seen: string[] = [];
    let ends = 0;
    body.attach({
      onPiece: (piece, end) => {
        seen.push(Buffer.from(piece).toString());
        if (end) ends += 1;
        if (seen.length === 1) queueMicrotask(() => body.resume());
        return seen.length > 1;
      },
      onAborted: () => {},
    });
    body.push(Buffer.from('a'));
    return Promise.resolve().then(() => {
      assert.equal(seen.join(''), 'abc');
      assert.equal(ends, 1);
    });
  });

  test('tells its source whether its pieces are spent: one sink had them all, and those before it are done', () => {
    const released: boolean[] = [];
    const source = { pause() {}, resume() {}, onReleased: (isSpent: boolean) => released.push(isSpent) };
    const sink = { onPiece: () => true, onAborted() {} };
    const make = () => new RequestBody(undefined, roomy(), source);
    const answered = make();
    answered.attach(sink);
    answered.end();
    answered.markSpent();
    const early = make();
    early.attach(sink);
    early.markSpent();
    const second = make();
    second.attach(sink);
    second.detach();
    second.attach(sink);
    second.end();
    second.markSpent();
    const afterOneThatIsDone = make();
    afterOneThatIsDone.attach({ ...sink, isSpent: true });
    afterOneThatIsDone.detach();
    afterOneThatIsDone.attach(sink);
    afterOneThatIsDone.end();
    afterOneThatIsDone.markSpent();
    for (const body of [answered, early, second, afterOneThatIsDone, make()]) {
      body.release();
      body.release();
    }
    assert.deepEqual(released, [true, false, false, true, false]);
  });
});
