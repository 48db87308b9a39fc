import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { WireReader } from '../../../src/protocol/protobuf/wire-reader.ts';
import { WireWriter } from '../../../src/protocol/protobuf/wire-writer.ts';

function written(write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter();
  write(writer);
  const bytes = Buffer.concat(writer.parts);
  assert.equal(bytes.length, writer.byteLength);
  return bytes;
}

/** The same bytes in pieces, as a network may bring them. */
function cut(bytes: Buffer, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1]!, end));
}

const places = fc.array(fc.nat(), { maxLength: 5 });

describe('WireReader', () => {
  test('reads what WireWriter wrote, however it is cut', () => {
    const values = fc.record({
      small: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      large: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      bytes: fc.uint8Array({ maxLength: 2000 }),
      real: fc.float(),
      longs: fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    });
    fc.assert(
      fc.property(values, places, ({ small, large, bytes, real, longs }, at) => {
        const message = written((writer) => {
          writer.int32(1, small);
          writer.int64(2, large);
          writer.message(3, (inner) => inner.bytes(200, [bytes, bytes]));
          writer.float(4, real);
          writer.packed(5, longs.length, (i) => longs[i]!);
        });
        const reader = new WireReader(cut(message, at));
        assert.equal(reader.next(), 1);
        assert.equal(reader.int32(), small);
        assert.equal(reader.next(), 2);
        assert.equal(reader.int64(), large);
        assert.equal(reader.next(), 3);
        const inner = reader.message((nested) => {
          assert.equal(nested.next(), 200);
          const twice = Buffer.concat(nested.parts());
          assert.equal(nested.next(), 0);
          return twice;
        });
        assert.deepEqual(inner, Buffer.concat([bytes, bytes]));
        assert.equal(reader.next(), 4);
        assert.equal(reader.float(), real);
        assert.equal(reader.next(), 5);
        const read: bigint[] = [];
        reader.varints(() => read.push(reader.int64()));
        assert.deepEqual(read, longs);
        assert.equal(reader.next(), 0);
      }),
    );
  });

  test('steps over fields of every kind', () => {
    const message = written((writer) => {
      writer.int64(1, -1n);
      writer.float(2, 1);
      writer.bytes(3, [new Uint8Array(700)]);
      writer.int32(4, 7);
    });
    const reader = new WireReader(cut(message, [3, 9, 300]));
    for (let field = reader.next(); field !== 4; field = reader.next()) reader.skip();
    assert.equal(reader.int32(), 7);
  });

  test('takes repeated numbers that are not packed', () => {
    const message = written((writer) => {
      writer.int32(1, 5);
      writer.int32(1, 6);
    });
    const reader = new WireReader([message]);
    const read: number[] = [];
    while (reader.next() !== 0) reader.varints(() => read.push(reader.int32()));
    assert.deepEqual(read, [5, 6]);
  });

  test('refuses what is no message, and reads no further than its end', () => {
    const walk = (bytes: Uint8Array, depth: number): void => {
      const visit = (reader: WireReader): void => {
        while (reader.next() !== 0) {
          if (reader.wireType === 2 && depth > 0) reader.message(visit);
          else reader.skip();
        }
      };
      visit(new WireReader([bytes]));
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          walk(bytes, 1);
        } catch (fault) {
          assert.ok(fault instanceof SkeinError && fault.code === 'protobuf_malformed', String(fault));
        }
      }),
    );
    assert.throws(() => walk(Uint8Array.of(0x0a, 0x05, 1), 0), /5 bytes stands where 1 are left/);
    assert.throws(() => walk(Uint8Array.of(0x08, ...new Array(11).fill(0xff)), 0), /longer than ten bytes/);
    assert.throws(() => walk(Uint8Array.of(0x0b), 0), /wire type 3/);
    let nested: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < 120; i++) nested = written((writer) => writer.bytes(1, [nested]));
    assert.throws(() => walk(nested, 1), /more than 100 deep/);
  });
});
