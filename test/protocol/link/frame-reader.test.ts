import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  FrameType,
  flagEnd,
  frame,
  headerBytes,
  maxDataBytes,
  payloadLimit,
} from '../../../src/protocol/link/frame.ts';
import { FrameReader, LinkRuleBroken } from '../../../src/protocol/link/frame-reader.ts';
import { cutInto, readFrames, SeenFrames } from './frames.ts';

const types = Object.values(FrameType);
const stream = fc.integer({ min: 0, max: 0xffff_ffff });

const anyFrame = fc
  .record({
    type: fc.constantFrom(...types),
    stream: fc.oneof(fc.integer({ min: 0, max: 3 }), stream),
    flags: fc.constantFrom(0, flagEnd),
    payload: fc.uint8Array({ maxLength: 200 }),
  })
  .map(({ type, stream, flags, payload }) => frame(type, stream, payload.subarray(0, payloadLimit[type]), flags));

const frames = fc.array(anyFrame, { maxLength: 12 }).map((all) => Buffer.concat(all));
const cuts = fc.array(fc.nat(4_000), { maxLength: 30 });

test('FrameReader tells of the same frames however the bytes are cut', () => {
  fc.assert(
    fc.property(frames, cuts, (bytes, where) => {
      assert.deepEqual(readFrames(bytes, where), readFrames(bytes));
    }),
  );
});

test('FrameReader tells of the same frames byte by byte', () => {
  fc.assert(
    fc.property(frames, (bytes) => {
      assert.deepEqual(readFrames(bytes, [...bytes.keys()]), readFrames(bytes));
    }),
    { numRuns: 30 },
  );
});

test('FrameReader gives back what frame wrote', () => {
  const bytes = Buffer.concat([
    frame(FrameType.infer, 7, Buffer.from('head')),
    frame(FrameType.data, 7, Buffer.from('body')),
    frame(FrameType.data, 7, undefined, flagEnd),
    frame(FrameType.ping, 0, undefined),
  ]);
  assert.deepEqual(readFrames(bytes), [
    { kind: 'control', type: FrameType.infer, stream: 7, flags: 0, payload: 'head' },
    { kind: 'body', stream: 7, payload: 'body', end: true },
    { kind: 'control', type: FrameType.ping, stream: 0, flags: 0, payload: '' },
  ]);
});

test('FrameReader ends random bytes in LinkRuleBroken or in frames within their limits', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (bytes, where) => {
      onlyLegalFrames(Buffer.from(bytes), where);
    }),
    { numRuns: 500 },
  );
});

test('FrameReader ends mutated frames in LinkRuleBroken or in frames within their limits', () => {
  const mutations = fc.array(fc.record({ at: fc.nat(4_000), value: fc.nat(255) }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(frames, mutations, cuts, (bytes, changes, where) => {
      if (bytes.length === 0) return;
      for (const { at, value } of changes) bytes[at % bytes.length] = value;
      onlyLegalFrames(bytes, where);
    }),
    { numRuns: 500 },
  );
});

function onlyLegalFrames(bytes: Buffer, where: readonly number[]): void {
  const seen = new SeenFrames();
  const reader = new FrameReader(seen);
  try {
    for (const chunk of cutInto(bytes, where)) reader.push(chunk);
  } catch (fault) {
    assert.ok(fault instanceof LinkRuleBroken, String(fault));
  }
  for (const one of seen.all) {
    if (one.kind === 'control') assert.ok(one.payload.length <= payloadLimit[one.type]!);
  }
}

for (const [what, length, type, word] of [
  ['a length beyond the limit of its type', maxDataBytes + 1, FrameType.data, 0],
  ['the largest length there is', 0xffff_ffff, FrameType.call, 0],
  ['a payload where none is allowed', 1, FrameType.cancel, 0],
  ['a type that does not exist', 0, 17, 0],
  ['the type 0', 0, 0, 0],
  ['a flag that does not exist', 0, FrameType.data, 2 << 8],
  ['reserved bits', 0, FrameType.data, 1 << 16],
] as const) {
  test(`FrameReader refuses ${what}, before the payload has come`, () => {
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32LE(length, 0);
    header.writeUInt32LE(type | word, 8);
    assert.throws(() => readFrames(header), LinkRuleBroken);
  });
}

test('FrameReader holds no more than the announced payload when it comes byte by byte', () => {
  assert.ok(globalThis.gc !== undefined, 'run with --expose-gc');
  const length = 4 * 1024 * 1024;
  const header = frame(FrameType.call, 1, undefined);
  header.writeUInt32LE(length, 0);
  const seen = new SeenFrames();
  const reader = new FrameReader(seen);
  reader.push(header);
  const before = used();
  // A buffer a byte, as sockets hand them over: kept one by one they would hold a hundred times their size.
  for (let i = 0; i < 200_000; i++) reader.push(Buffer.from([i & 0xff]));
  assert.ok(used() - before < 2 * length, `${used() - before} bytes for a payload of ${length}`);
  assert.deepEqual(seen.all, []);
});

function used(): number {
  globalThis.gc!();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
