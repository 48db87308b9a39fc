import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BodyWish, inferBody } from '../../../src/cli/bench/infer-body.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { type Datatype, elementBytes } from '../../../src/protocol/tensors/datatype.ts';
import type { ModelMetadata } from '../../../src/protocol/v2/model-metadata.ts';

const wish: BodyWish = { kind: 'binary', batch: 1, shapes: new Map(), data: 'random', seed: 1 };

function modelOf(...inputs: readonly [name: string, datatype: Datatype, shape: readonly number[]][]): ModelMetadata {
  return {
    name: 'm',
    versions: ['1'],
    platform: 'onnxruntime_onnx',
    inputs: inputs.map(([name, datatype, shape]) => ({ name, datatype, shape })),
    outputs: [],
  };
}

interface WrittenInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
  readonly parameters?: { readonly binary_data_size: number };
}

function headerOf({ bytes, jsonBytes }: ReturnType<typeof inferBody>): { readonly inputs: readonly WrittenInput[] } {
  return JSON.parse(bytes.toString('utf8', 0, jsonBytes));
}

describe('inferBody', () => {
  test('puts tensors behind a JSON that names their sizes', () => {
    const body = inferBody(modelOf(['a', 'FP32', [-1, 4]], ['b', 'INT64', [-1]]), { ...wish, batch: 3 });
    const { inputs } = headerOf(body);
    assert.deepEqual(
      inputs.map(({ shape, parameters }) => [shape, parameters?.binary_data_size]),
      [
        [[3, 4], 48],
        [[3], 24],
      ],
    );
    assert.equal(body.bytes.byteLength, body.jsonBytes! + 72);
    assert.equal(body.rows, 3);
  });

  test('writes the same values as JSON', () => {
    const model = modelOf(['a', 'FP32', [2]], ['flag', 'BOOL', [2]], ['word', 'BYTES', [2]]);
    const { inputs } = headerOf(inferBody(model, { ...wish, kind: 'json' }));
    const [a, flag, word] = inputs;
    assert.ok(a!.data.every((value) => typeof value === 'number' && value >= 0 && value < 1));
    assert.ok(flag!.data.every((value) => typeof value === 'boolean'));
    assert.deepEqual(word!.data, ['skein', 'skein']);
    const binary = inferBody(modelOf(['a', 'FP32', [2]]), wish);
    const floats = new Float32Array(new Uint8Array(binary.bytes.subarray(binary.jsonBytes)).buffer);
    assert.deepEqual([...floats], [...Float32Array.from(a!.data as number[])]);
  });

  for (const datatype of Object.keys(elementBytes) as Datatype[]) {
    test(`makes ${datatype} tensors of the right size, which are zero where they shall be`, () => {
      const body = inferBody(modelOf(['x', datatype, [5]]), { ...wish, data: 'zero' });
      const tensor = body.bytes.subarray(body.jsonBytes);
      assert.equal(tensor.byteLength, 5 * (datatype === 'BYTES' ? 4 : elementBytes[datatype]));
      assert.ok(tensor.every((byte) => byte === 0));
    });
  }

  test('makes halves that are what they were', () => {
    const half = (bits: number) => (bits === 0 ? 0 : 2 ** ((bits >>> 10) - 15) * (1 + (bits & 0x3ff) / 1024));
    const body = inferBody(modelOf(['x', 'FP16', [1000]]), wish);
    const exact = inferBody(modelOf(['x', 'FP64', [1000]]), wish);
    const bits = new Uint16Array(new Uint8Array(body.bytes.subarray(body.jsonBytes)).buffer);
    const values = new Float64Array(new Uint8Array(exact.bytes.subarray(exact.jsonBytes)).buffer);
    for (const [i, value] of values.entries()) assert.ok(Math.abs(half(bits[i]!) - value) < 0.001, `${value}`);
  });

  test('takes the shape that is named, with or without the batch', () => {
    const model = modelOf(['x', 'FP32', [-1, 3, -1, -1]]);
    const shapes = (shape: readonly number[]) => new Map([['x', shape]]);
    const whole = inferBody(model, { ...wish, shapes: shapes([2, 3, 8, 8]) });
    assert.deepEqual(headerOf(whole).inputs[0]!.shape, [2, 3, 8, 8]);
    assert.equal(whole.rows, 2);
    const row = inferBody(model, { ...wish, batch: 4, shapes: shapes([3, 8, 8]) });
    assert.deepEqual(headerOf(row).inputs[0]!.shape, [4, 3, 8, 8]);
  });

  const refused: readonly [string, ModelMetadata, Partial<BodyWish>, RegExp][] = [
    ['a free dimension', modelOf(['x', 'FP32', [-1, 3, -1]]), {}, /--shape x=1,3,64/],
    [
      'a shape that does not fit',
      modelOf(['x', 'FP32', [-1, 3]]),
      { shapes: new Map([['x', [1, 4]]]) },
      /m takes \[-1,3\]/,
    ],
    ['an unknown input', modelOf(['x', 'FP32', [1]]), { shapes: new Map([['y', [1]]]) }, /no such input; it has x/],
    ['a batch without a place', modelOf(['x', 'FP32', [4]]), { batch: 2 }, /no place for a batch/],
    ['halves in JSON', modelOf(['x', 'FP16', [4]]), { kind: 'json' }, /--body binary/],
    ['a tensor beyond all measure', modelOf(['x', 'INT8', [2 ** 30]]), {}, /1073741824 elements/],
  ];
  for (const [name, model, wished, reason] of refused) {
    test(`refuses ${name} and says what to do`, () => {
      assert.throws(
        () => inferBody(model, { ...wish, ...wished }),
        (fault) => fault instanceof SkeinError && fault.code === 'usage' && reason.test(fault.message),
      );
    });
  }
});
