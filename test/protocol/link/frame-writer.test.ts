import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameType, headerBytes, maxDataBytes } from '../../../src/protocol/link/frame.ts';
import { FrameReader } from '../../../src/protocol/link/frame-reader.ts';
import { FrameWriter } from '../../../src/protocol/link/frame-writer.ts';
import { drain, SlowSocket, settle } from './slow-socket.ts';

/** One data frame as it went out. */
interface Sent {
  readonly stream: number;
  readonly piece: Buffer;
  readonly end: boolean;
}

/** Data frames in the order they were written; control frames as `-1`. */
function sentFrames(socket: SlowSocket): Sent[] {
  const sent: Sent[] = [];
  const reader = new FrameReader({
    onFrame: (_type, stream, _flags, piece) => sent.push({ stream: -stream - 1, piece, end: false }),
    onData: (stream, piece, end) => sent.push({ stream, piece: Buffer.from(piece), end }),
  });
  reader.push(socket.taken);
  return sent;
}

function bytesOf(sent: readonly Sent[], stream: number): Buffer {
  return Buffer.concat(sent.filter((one) => one.stream === stream).map(({ piece }) => piece));
}

type Operation =
  | { readonly kind: 'piece'; readonly stream: number; readonly bytes: number; readonly end: boolean }
  | { readonly kind: 'credit'; readonly stream: number; readonly bytes: number }
  | { readonly kind: 'drop'; readonly stream: number }
  | { readonly kind: 'control' | 'take' | 'turn' };

const stream = fc.integer({ min: 1, max: 4 });
const size = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 2_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: maxDataBytes - 1, max: 3 * maxDataBytes }) },
);
const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('piece' as const), stream, bytes: size, end: fc.boolean() }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('credit' as const), stream, bytes: fc.nat(100_000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), stream }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constantFrom('control' as const, 'take' as const, 'turn' as const) }),
    },
  ),
  { maxLength: 40 },
);

/** What a stream should have sent, kept beside the writer. */
interface Model {
  bytes: Buffer[];
  ended: boolean;
  dropped: boolean;
  credit: number;
}

test('FrameWriter loses nothing, keeps the order of each body and never exceeds its credit', async () => {
  await fc.assert(
    fc.asyncProperty(operations, fc.integer({ min: 1, max: 200_000 }), async (all, initialCredit) => {
      const socket = new SlowSocket();
      const writer = new FrameWriter(socket, initialCredit, () => {});
      const models = new Map<number, Model>();
      let controls = 0;
      let filler = 0;
      for (const operation of all) {
        switch (operation.kind) {
          case 'piece': {
            const model = models.get(operation.stream) ?? {
              bytes: [],
              ended: false,
              dropped: false,
              credit: initialCredit,
            };
            if (model.ended || model.dropped) break;
            models.set(operation.stream, model);
            const piece = Buffer.alloc(operation.bytes, ++filler);
            model.bytes.push(piece);
            model.ended = operation.end;
            writer.body(operation.stream, piece, operation.end);
            break;
          }
          case 'credit': {
            const model = models.get(operation.stream);
            if (model !== undefined) model.credit += operation.bytes;
            writer.credit(operation.stream, operation.bytes);
            break;
          }
          case 'drop': {
            const model = models.get(operation.stream);
            if (model !== undefined) model.dropped = true;
            writer.drop(operation.stream);
            break;
          }
          case 'control':
            writer.control(FrameType.cancel, ++controls, undefined, 0);
            break;
          case 'take':
            socket.take();
            break;
          case 'turn':
            await settle();
        }
        withinCredit(socket, models);
      }
      await drain(socket);
      withinCredit(socket, models);
      for (const [id, model] of models) {
        if (!model.dropped) writer.credit(id, 10_000_000);
      }
      await drain(socket);
      allSent(socket, models, controls);
    }),
    { numRuns: 150 },
  );
});

function withinCredit(socket: SlowSocket, models: ReadonlyMap<number, Model>): void {
  const sent = sentFrames(socket);
  for (const [id, { credit }] of models) {
    assert.ok(bytesOf(sent, id).length <= credit, `stream ${id} sent more than ${credit} bytes`);
  }
}

function allSent(socket: SlowSocket, models: ReadonlyMap<number, Model>, controls: number): void {
  const sent = sentFrames(socket);
  for (const [id, { bytes, ended, dropped }] of models) {
    const expected = Buffer.concat(bytes);
    const got = bytesOf(sent, id);
    if (dropped) assert.ok(expected.subarray(0, got.length).equals(got), `stream ${id} sent what it was not handed`);
    else assert.ok(expected.equals(got), `stream ${id}: ${got.length} bytes of ${expected.length}`);
    const ends = sent.filter((one) => one.stream === id && one.end).length;
    if (!dropped) assert.equal(ends, ended ? 1 : 0);
    assert.ok(ends <= 1);
  }
  assert.deepEqual(
    sent.filter((one) => one.stream < 0).map((one) => one.stream),
    Array.from({ length: controls }, (_, i) => -i - 2),
  );
}

test('FrameWriter tells a source that stopped when it was behind to go on, until all of it is sent', async () => {
  const bodies = fc.array(fc.array(size, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(bodies, fc.integer({ min: 40_000, max: 300_000 }), async (all, window) => {
      const socket = new SlowSocket();
      const sources = all.map((sizes) => ({ sizes: [...sizes], paused: false }));
      const writer = new FrameWriter(socket, window, (id) => {
        const source = sources[id - 1]!;
        if (!source.paused) return;
        source.paused = false;
        queueMicrotask(() => feed(id));
      });
      const feed = (id: number) => {
        const source = sources[id - 1]!;
        while (source.sizes.length > 0 && !source.paused) {
          writer.body(id, Buffer.alloc(source.sizes.shift()!), source.sizes.length === 0);
          source.paused = writer.isBehind(id);
        }
      };
      for (const id of sources.keys()) feed(id + 1);
      const granted = sources.map(() => 0);
      let taken = true;
      while (taken) {
        await drain(socket);
        taken = false;
        const sent = sentFrames(socket);
        for (const id of sources.keys()) {
          const received = bytesOf(sent, id + 1).length;
          if (received === granted[id]) continue;
          taken = true;
          writer.credit(id + 1, received - granted[id]!);
          granted[id] = received;
        }
      }
      const sent = sentFrames(socket);
      for (const [id, sizes] of all.entries()) {
        assert.equal(
          bytesOf(sent, id + 1).length,
          sizes.reduce((sum, bytes) => sum + bytes, 0),
        );
        assert.equal(sent.filter((one) => one.stream === id + 1 && one.end).length, 1);
      }
      assert.equal(writer.openStreams, 0);
    }),
    { numRuns: 40 },
  );
});

test('FrameWriter lets small bodies and control frames overtake large bodies', async () => {
  const socket = new SlowSocket();
  const writer = new FrameWriter(socket, 100 * maxDataBytes, () => {});
  writer.body(1, Buffer.alloc(50 * maxDataBytes), true);
  writer.control(FrameType.ping, 0, undefined, 0);
  writer.body(2, Buffer.from('small'), true);
  await drain(socket);
  const order = sentFrames(socket).map((one) => one.stream);
  const large = order.filter((id) => id === 1).length;
  assert.equal(large, 50);
  assert.ok(order.indexOf(-1) < 10, `the control frame was number ${order.indexOf(-1)}`);
  assert.ok(order.indexOf(2) < 10, `the small body was number ${order.indexOf(2)}`);
});

test('FrameWriter gives every large body its turn, however many there are', async () => {
  const socket = new SlowSocket();
  const count = 9;
  const writer = new FrameWriter(socket, 100 * maxDataBytes, () => {});
  for (let id = 1; id <= count; id++) writer.body(id, Buffer.alloc(10 * maxDataBytes), true);
  await drain(socket);
  const order = sentFrames(socket).map((one) => one.stream);
  assert.equal(order.length, 10 * count);
  for (let id = 2; id <= count; id++) {
    // The first bodies had the socket to themselves for a moment; from there on nobody is ahead of anybody.
    const ahead = order.slice(0, order.indexOf(id)).filter((other) => other === 1).length;
    assert.ok(ahead <= 6, `body 1 sent ${ahead} pieces before body ${id} had a turn`);
  }
  const ends = order.map((id, at) => (order.indexOf(id, at + 1) === -1 ? at : -1)).filter((at) => at >= 0);
  assert.ok(ends[0]! > order.length - 6 * count, 'one body was done long before the others');
});

test('FrameWriter stops at its watermark and goes on when the socket has taken what was written', async () => {
  const socket = new SlowSocket();
  const writer = new FrameWriter(socket, 1_000 * maxDataBytes, () => {});
  writer.body(1, Buffer.alloc(100 * maxDataBytes), true);
  await settle();
  assert.ok(socket.writableLength < 8 * maxDataBytes, `${socket.writableLength} bytes lie in the socket`);
  assert.ok(writer.isBehind(1));
  await drain(socket);
  assert.equal(bytesOf(sentFrames(socket), 1).length, 100 * maxDataBytes);
  assert.ok(!writer.isBehind(1));
});

test('FrameWriter writes everything of one turn of the event loop at once', async () => {
  const socket = new SlowSocket();
  const writer = new FrameWriter(socket, maxDataBytes, () => {});
  for (let id = 1; id <= 50; id++) {
    writer.control(FrameType.infer, id, Buffer.from('head'), 0);
    writer.body(id, Buffer.from('body'), true);
  }
  await drain(socket);
  assert.equal(socket.writes, 1);
  assert.equal(sentFrames(socket).length, 100);
});

test('FrameWriter keeps a small whole body within a credit that is smaller', async () => {
  const socket = new SlowSocket();
  const writer = new FrameWriter(socket, headerBytes, () => {});
  writer.body(1, Buffer.alloc(100, 1), true);
  await drain(socket);
  assert.equal(bytesOf(sentFrames(socket), 1).length, headerBytes);
  writer.credit(1, 88);
  await drain(socket);
  assert.equal(bytesOf(sentFrames(socket), 1).length, 100);
});

test('FrameWriter sends nothing more once it was stopped, and has nothing open', async () => {
  const socket = new SlowSocket();
  const writer = new FrameWriter(socket, 100 * maxDataBytes, () => {});
  writer.body(1, Buffer.alloc(50 * maxDataBytes), true);
  writer.stop();
  const written = socket.writableLength;
  await drain(socket);
  assert.ok(socket.taken.length <= written);
  assert.equal(writer.openStreams, 0);
  assert.ok(!writer.isSending(1));
});

test('FrameWriter sends a body of very many pieces in time that grows with their number', {
  timeout: 30_000,
}, async () => {
  const socket = new SlowSocket();
  const writer = new FrameWriter(socket, 1_000_000, () => {});
  // Shifted one by one out of an array this long, the pieces would take more than a minute.
  const pieces = 200_000;
  for (let i = 0; i < pieces; i++) writer.body(1, Buffer.of(i & 0xff), false);
  writer.body(1, Buffer.alloc(0), true);
  await drain(socket);
  const sent = bytesOf(sentFrames(socket), 1);
  assert.equal(sent.length, pieces);
  assert.ok(sent.every((byte, i) => byte === (i & 0xff)));
});

test('FrameWriter writes a whole small body in parts as one frame, and a large one as ever', async () => {
  const socket = new SlowSocket();
  const writer = new FrameWriter(socket, 1_000_000, () => {});
  writer.wholeBody(1, [Buffer.from('head'), Buffer.from('rows')], 8);
  const large = [Buffer.alloc(1_000, 1), Buffer.alloc(3_000, 2)];
  writer.wholeBody(2, large, 4_000);
  await settle();
  await drain(socket);
  const sent = sentFrames(socket);
  assert.deepEqual(
    sent.filter((one) => one.stream === 1).map(({ piece, end }) => [piece.toString(), end]),
    [['headrows', true]],
  );
  assert.deepEqual(bytesOf(sent, 2), Buffer.concat(large));
  assert.equal(sent.at(-1)?.end, true);
});
