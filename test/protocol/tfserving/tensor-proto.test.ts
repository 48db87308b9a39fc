import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { WireReader } from '../../../src/protocol/protobuf/wire-reader.ts';
import { WireWriter } from '../../../src/protocol/protobuf/wire-writer.ts';
import { type Datatype, elementBytes } from '../../../src/protocol/tensors/datatype.ts';
import { elementCount, type Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { dataTypeOf } from '../../../src/protocol/tfserving/data-type.ts';
import { readTensorProto, writeTensorProto } from '../../../src/protocol/tfserving/tensor-proto.ts';

const datatypes = Object.keys(elementBytes) as Datatype[];

const tensors: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...datatypes), fc.array(fc.nat(4), { maxLength: 4 }))
  .chain(([datatype, shape]) => {
    const length = elementCount(shape);
    return fc.array(elementOf(datatype), { minLength: length, maxLength: length }).map((parts) => {
      const bytes = Buffer.concat(parts);
      return { name: 'x', datatype, shape, parts: [bytes], byteLength: bytes.length };
    });
  });

function elementOf(datatype: Datatype): fc.Arbitrary<Uint8Array> {
  if (datatype === 'BOOL') return fc.boolean().map((value) => Uint8Array.of(Number(value)));
  if (datatype === 'BYTES') {
    return fc
      .uint8Array({ maxLength: 9 })
      .map((value) => Buffer.concat([Uint8Array.from([value.length, 0, 0, 0]), value]));
  }
  return fc.uint8Array({ minLength: elementBytes[datatype], maxLength: elementBytes[datatype] });
}

const contents = (tensor: Tensor) => ({ ...tensor, parts: Buffer.concat(tensor.parts) });

function written(write: (writer: WireWriter) => void): Uint8Array {
  const writer = new WireWriter();
  write(writer);
  return Buffer.concat(writer.parts);
}

const read = (write: (writer: WireWriter) => void) => contents(readTensorProto(new WireReader([written(write)]), 'x'));
const shape = (writer: WireWriter, ...sizes: number[]) =>
  writer.message(2, (inner) => {
    for (const size of sizes) inner.message(2, (dimension) => dimension.int64(1, BigInt(size)));
  });

describe('readTensorProto', () => {
  test('reads what writeTensorProto wrote', () => {
    fc.assert(
      fc.property(tensors, fc.nat(), (tensor, place) => {
        const bytes = written((writer) => writeTensorProto(writer, tensor));
        const at = place % (bytes.length + 1);
        const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
        assert.deepEqual(contents(readTensorProto(new WireReader(pieces), 'x')), contents(tensor));
      }),
    );
  });

  test('refuses sizes whose product is no number of elements, one of them 0 or not', () => {
    const float = 1;
    for (const sizes of [
      [2 ** 52, 2 ** 52, 0],
      [0, 2 ** 52, 2 ** 52],
      [2 ** 30, 2 ** 30],
    ]) {
      const write = (writer: WireWriter) => {
        writer.int32(1, float);
        shape(writer, ...sizes);
      };
      assert.throws(() => read(write), { code: 'tensor_proto_malformed' });
    }
  });

  test('takes the bytes of tensor_content as they are, before or behind its type', () => {
    const bytes = Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0);
    const tensor = read((writer) => {
      writer.bytes(4, [bytes]);
      shape(writer, 2);
      writer.int32(1, dataTypeOf('INT32').number);
    });
    assert.deepEqual([tensor.datatype, tensor.shape, tensor.parts], ['INT32', [2], Buffer.from(bytes)]);
  });

  test('fills up with the last value, or with zeros', () => {
    const filled = read((writer) => {
      writer.int32(1, dataTypeOf('INT16').number);
      shape(writer, 2, 2);
      writer.packed(7, 2, (i) => i + 1);
    });
    assert.deepEqual(filled.parts, Buffer.from([1, 0, 2, 0, 2, 0, 2, 0]));
    const zeros = read((writer) => {
      writer.int32(1, dataTypeOf('FP64').number);
      shape(writer, 2);
    });
    assert.deepEqual(zeros.parts, Buffer.alloc(16));
    const empty = read((writer) => {
      writer.int32(1, dataTypeOf('BYTES').number);
      shape(writer, 1);
    });
    assert.deepEqual(empty.parts, Buffer.alloc(4));
  });

  test('does not fill gigabytes with a few bytes', () => {
    const huge = () =>
      read((writer) => {
        writer.int32(1, dataTypeOf('FP32').number);
        shape(writer, 1_000_000_000);
        writer.bytes(5, [new Uint8Array(4)]);
      });
    assert.throws(huge, { code: 'tensor_proto_malformed' });
  });

  test('refuses what contradicts itself', () => {
    const cases: [RegExp, (writer: WireWriter) => void][] = [
      [/DataType 20/, (writer) => writer.int32(1, 20)],
      [
        /shape is \[-1\]/,
        (writer) => {
          writer.int32(1, 1);
          shape(writer, -1);
        },
      ],
      [
        /its shape is unknown/,
        (writer) => {
          writer.int32(1, 1);
          writer.message(2, (inner) => inner.bool(3, true));
        },
      ],
      [
        /4 bytes, and its shape says 8/,
        (writer) => {
          writer.int32(1, 1);
          shape(writer, 2);
          writer.bytes(4, [new Uint8Array(4)]);
        },
      ],
      [
        /has 3 values, and its shape says 2/,
        (writer) => {
          writer.int32(1, 3);
          shape(writer, 2);
          writer.packed(7, 3, () => 1);
        },
      ],
      [
        /strings stand in string_val/,
        (writer) => {
          writer.int32(1, 7);
          writer.bytes(4, [new Uint8Array(4)]);
        },
      ],
    ];
    for (const [message, write] of cases) assert.throws(() => read(write), message);
  });
});
