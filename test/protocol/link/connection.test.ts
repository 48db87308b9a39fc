import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, mock, test } from 'node:test';
import fc from 'fast-check';
import { streamWindowBytes } from '../../../src/protocol/link/connection.ts';
import { FrameType, flagEnd, frame, headerBytes, jsonFrame, maxDataBytes } from '../../../src/protocol/link/frame.ts';
import type { Hello } from '../../../src/protocol/link/messages.ts';
import { readFrames } from './frames.ts';
import { RecordedLink } from './recorded-link.ts';
import { socketPair } from './socket-pair.ts';

const hello: Hello = { versions: [1, 1], role: 'router', id: 'r1', software: 'test', streamWindowBytes };
const sockets = new Set<Socket>();

after(() => {
  for (const socket of sockets) socket.destroy();
});

async function pair(): Promise<[Socket, Socket]> {
  const both = await socketPair();
  for (const socket of both) sockets.add(socket);
  return both;
}

/** Both ends, past their handshake. */
async function linked(): Promise<[RecordedLink, RecordedLink]> {
  const [near, far] = await pair();
  const links: [RecordedLink, RecordedLink] = [new RecordedLink(near, 'router'), new RecordedLink(far, 'backend')];
  await Promise.all(links.map((link) => link.opened));
  return links;
}

/** A link whose peer is bytes. */
async function linkTo(
  ...bytes: readonly Uint8Array[]
): Promise<{ link: RecordedLink; peer: Socket; heard: () => Buffer }> {
  const [near, peer] = await pair();
  const link = new RecordedLink(near, 'backend');
  const heard: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => heard.push(chunk)).on('error', () => {});
  for (const one of bytes) peer.write(one);
  return { link, peer, heard: () => Buffer.concat(heard) };
}

/** What a peer was told as the link's last word. */
function goodbyeIn(bytes: Buffer): string | undefined {
  const last = readFrames(bytes).at(-1);
  return last?.kind === 'control' && last.type === FrameType.goodbye
    ? (JSON.parse(last.payload) as { reason: string }).reason
    : undefined;
}

test('LinkConnection says no hello to who has no certificate of its name, and why not', async () => {
  const [near, far] = await pair();
  const backend = new RecordedLink(near, 'backend', 'b1', { isCertified: (id) => id === 'r1' });
  const router = new RecordedLink(far, 'router', 'r2');
  const reason = "the certificate that router 'r2' shows is not made out to 'r2'";
  assert.equal(await backend.closed, reason);
  assert.equal(await router.closed, `${reason} (said by the other side)`);
  assert.deepEqual([backend.peer, router.peer], [undefined, undefined]);
});

test('LinkConnection opens for who has a certificate of its name', async () => {
  const [near, far] = await pair();
  const backend = new RecordedLink(near, 'backend', 'b1', { isCertified: (id) => id === 'r1' });
  const router = new RecordedLink(far, 'router', 'r1');
  assert.equal((await backend.opened).id, 'r1');
  assert.equal((await router.opened).id, 'b1');
});

test('LinkConnection opens at both ends and tells each of the other', async () => {
  const [near, far] = await linked();
  assert.equal((await near.opened).role, 'backend');
  assert.equal((await far.opened).id, 'router');
  assert.ok(near.link.isOpen && far.link.isOpen);
});

test('LinkConnection carries random traffic of both sides whole and in order', async () => {
  const body = fc.array(fc.nat(2 * maxDataBytes), { minLength: 1, maxLength: 4 });
  const traffic = fc.array(fc.record({ fromNear: fc.boolean(), body, head: fc.string() }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(traffic, async (all) => {
      const [near, far] = await linked();
      for (const [i, { fromNear, body: sizes, head }] of all.entries()) {
        const { link } = fromNear ? near : far;
        link.sendJson(FrameType.call, i + 1, head);
        for (const [at, size] of sizes.entries()) {
          link.sendBody(i + 1, Buffer.alloc(size, i + 1), at === sizes.length - 1);
        }
        if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      near.link.sendJson(FrameType.call, 1_000, 'last');
      far.link.sendJson(FrameType.call, 1_000, 'last');
      const isDone = () =>
        all.every(({ fromNear }, i) => (fromNear ? far : near).bodies.get(i + 1)?.ended) &&
        [near, far].every(({ frames }) => frames.at(-1)?.stream === 1_000);
      while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
      for (const [i, { fromNear, body: sizes }] of all.entries()) {
        const got = (fromNear ? far : near).bodyOf(i + 1);
        assert.ok(
          got.equals(
            Buffer.alloc(
              sizes.reduce((sum, size) => sum + size, 0),
              i + 1,
            ),
          ),
        );
      }
      for (const [receiver, fromNear] of [
        [far, true],
        [near, false],
      ] as const) {
        const heads = all.filter((one) => one.fromNear === fromNear).map(({ head }) => head);
        assert.deepEqual(
          receiver.frames.map(({ payload }) => JSON.parse(payload)),
          [...heads, 'last'],
        );
      }
      near.link.close('the test is done');
      assert.equal(await far.closed, 'the test is done (said by the other side)');
      assert.deepEqual([near.reasons, far.reasons.length], [['the test is done'], 1]);
    }),
    { numRuns: 25 },
  );
});

test('LinkConnection sends no more than the peer granted', async () => {
  const [near, far] = await linked();
  far.grants = false;
  near.link.sendBody(1, Buffer.alloc(3 * streamWindowBytes), true);
  near.link.sendJson(FrameType.call, 2, 'after');
  while (far.frames.length === 0 || far.bodyOf(1).length < streamWindowBytes) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(far.bodyOf(1).length, streamWindowBytes);
  assert.ok(near.link.isBehind(1) && near.link.isSending(1));
  near.link.dropBody(1);
  assert.ok(!near.link.isSending(1));
  near.link.close('enough');
  await far.closed;
});

test('LinkConnection ends where versions have nothing in common, and tells the peer both', async () => {
  const { link, peer, heard } = await linkTo(jsonFrame(FrameType.hello, 0, { ...hello, versions: [7, 9] }));
  const reason = await link.closed;
  assert.match(reason, /no link version in common: this side speaks 1-1, 'r1' 7-9/);
  await once(peer, 'close');
  assert.equal(goodbyeIn(heard()), reason);
});

test('LinkConnection ends where the peer says no hello', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { link } = await linkTo();
    mock.timers.tick(4_999);
    assert.deepEqual(link.reasons, []);
    mock.timers.tick(1);
    assert.equal(await link.closed, 'no complete hello within 5000 ms');
  } finally {
    mock.timers.reset();
  }
});

const json = (value: unknown) => jsonFrame(FrameType.hello, 0, value);
const longHello = frame(FrameType.hello, 0, Buffer.alloc(4_097));
const open = jsonFrame(FrameType.hello, 0, hello);
const header = (length: number, type: number) => {
  const bytes = Buffer.alloc(headerBytes);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt32LE(type, 8);
  return bytes;
};

for (const [what, bytes, reason] of [
  ['a hello that is no JSON', frame(FrameType.hello, 0, Buffer.from('hello')), /JSON/],
  ['a hello that is null', json(null), /without id or versions/],
  ['a hello without an id', json({ ...hello, id: undefined }), /without id or versions/],
  ['a hello whose versions are no numbers', json({ ...hello, versions: ['1', {}] }), /without id or versions/],
  ['a hello without versions', json({ ...hello, versions: undefined }), /without id or versions/],
  ['a hello with an unknown role', json({ ...hello, role: 'admin' }), /without a role/],
  ['a hello with a window of nothing', json({ ...hello, streamWindowBytes: 0 }), /stream window/],
  ['a hello with a window that is no number', json({ ...hello, streamWindowBytes: '1e9' }), /stream window/],
  ['a hello that is too long', longHello, /says 4097 bytes, 4096 are allowed/],
  ['a request before hello', frame(FrameType.infer, 1, Buffer.alloc(20)), /type 3 before hello/],
  ['a body before hello', frame(FrameType.data, 1, Buffer.alloc(20), flagEnd), /a body before hello/],
  ['a ping before hello', frame(FrameType.ping, 0, undefined), /type 12 before hello/],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: skein\r\n\r\n'), /unknown type|bytes, .* are allowed/],
  ['a second hello', Buffer.concat([open, open]), /a second hello/],
  ['a length beyond all limits', Buffer.concat([open, header(0xffff_fff0, FrameType.call)]), /says 4294967280 bytes/],
  ['a frame of no known type', Buffer.concat([open, header(0, 99)]), /unknown type 99/],
  ['a credit cut short', Buffer.concat([open, frame(FrameType.credit, 1, Buffer.alloc(3))]), /broke the rules/],
  [
    'a goodbye that is null',
    Buffer.concat([open, frame(FrameType.goodbye, 0, Buffer.from('null'))]),
    /broke the rules/,
  ],
] as const) {
  test(`LinkConnection ends on ${what} with a reason that both sides know`, async () => {
    const { link, peer, heard } = await linkTo(bytes);
    assert.match(await link.closed, reason);
    await once(peer, 'close');
    assert.match(goodbyeIn(heard()) ?? 'no goodbye', reason);
    assert.equal(link.reasons.length, 1);
    assert.ok(!link.link.isOpen);
  });
}

test('LinkConnection survives random bytes after a hello: it ends once, with a reason', async () => {
  const kinds = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(fc.constantFrom(...Object.values(FrameType)), fc.nat(3), fc.uint8Array({ maxLength: 30 }))
      .map(([type, stream, payload]) => frame(type, stream, payload)),
    fc.json().map((text) => frame(FrameType.goodbye, 0, Buffer.from(text.slice(0, 4_000)))),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(kinds, { maxLength: 8 }), async (all) => {
      const { link, peer } = await linkTo(open, ...all);
      peer.end();
      await link.closed;
      assert.equal(link.reasons.length, 1);
      assert.notEqual(link.reasons[0], '');
    }),
    { numRuns: 100 },
  );
});

test('LinkConnection tells of nothing that follows a goodbye in the same chunk', async () => {
  const rest = [frame(FrameType.infer, 1, Buffer.alloc(20)), frame(FrameType.data, 1, Buffer.alloc(9), flagEnd)];
  const goodbye = jsonFrame(FrameType.goodbye, 0, { reason: 'bye' });
  const { link } = await linkTo(Buffer.concat([open, goodbye, ...rest]));
  assert.equal(await link.closed, 'bye (said by the other side)');
  assert.deepEqual([link.frames.length, link.bodies.size, link.reasons.length], [0, 0, 1]);
});

test('LinkConnection ends on a peer that asks and does not read', async () => {
  const { link, peer } = await linkTo(open);
  await link.opened;
  peer.pause();
  const answer = 'x'.repeat(1024 * 1024);
  link.answer = (_type, stream) => link.link.sendJson(FrameType.result, stream, answer);
  for (let stream = 1; stream <= 80; stream++) peer.write(jsonFrame(FrameType.call, stream, {}));
  assert.match(await link.closed, /bytes were left unread/);
  assert.ok(link.frames.length <= 80);
});

test('LinkConnection answers a ping, and remembers when it last heard of the peer', async () => {
  const { link, heard } = await linkTo(open, frame(FrameType.ping, 0, undefined));
  const before = performance.now();
  const hasPong = () => readFrames(heard()).some((one) => one.kind === 'control' && one.type === FrameType.pong);
  while (!hasPong()) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(link.link.lastHeardMs >= before - 1_000);
});

test('LinkConnection cuts a reason that would not fit its frame', async () => {
  const [near, far] = await linked();
  near.link.close('ä'.repeat(10_000));
  const reason = await far.closed;
  assert.match(reason, /^ä{400,600}…/);
  assert.equal(near.reasons.length, 1);
});

test('LinkConnection finishes only when the peer has all that was written before', async () => {
  const [near, far] = await linked();
  for (let stream = 1; stream <= 20; stream++) near.link.sendJson(FrameType.call, stream, 'x'.repeat(100_000));
  await near.link.finish('done');
  await far.closed;
  assert.equal(far.frames.length, 20);
  assert.equal(far.reasons[0], 'done (said by the other side)');
});

test('LinkConnection forgets bodies that wait when it is closed, without a fault', async () => {
  const [near, far] = await linked();
  far.grants = false;
  near.link.sendBody(1, Buffer.alloc(4 * streamWindowBytes), true);
  near.link.close('enough');
  assert.ok(!near.link.isSending(1));
  near.link.sendBody(1, Buffer.alloc(10), true);
  near.link.send(FrameType.cancel, 1);
  near.link.ping();
  assert.equal(await far.closed, 'enough (said by the other side)');
  assert.deepEqual(near.reasons, ['enough']);
});

test('LinkConnection ends with the fault of a socket that never connects', async () => {
  const { connect } = await import('node:net');
  const link = new RecordedLink(connect('/tmp/skein-there-is-no-such.sock'), 'router');
  assert.match(await link.closed, /ENOENT/);
});
