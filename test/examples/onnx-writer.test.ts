import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Tensor } from 'onnxruntime-node';
import { addSub } from '../../examples/models/add-sub.ts';
import { encodeAttribute } from '../../examples/models/onnx-writer/attribute.ts';
import { GraphBuilder } from '../../examples/models/onnx-writer/graph-builder.ts';
import { encodeModel } from '../../examples/models/onnx-writer/model.ts';
import { floats, tensorOf } from '../../examples/models/onnx-writer/tensor.ts';
import { ProtoMessage } from '../../examples/models/onnx-writer/wire.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { openSession, runOnce, valuesOf } from '../fixtures/onnx-runtime.ts';

/** Reads one varint back: the inverse that protobuf.dev describes, written independently of the writer. */
function readVarint(bytes: Uint8Array, at: number): { readonly value: bigint; readonly next: number } {
  let value = 0n;
  for (let shift = 0n, i = at; ; i++, shift += 7n) {
    value |= BigInt((bytes[i] ?? 0) & 0x7f) << shift;
    if ((bytes[i] ?? 0) < 0x80) return { value, next: i + 1 };
  }
}

describe('ProtoMessage', () => {
  test('int writes every 64-bit integer as a varint that reads back', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.integer({ min: 1, max: 2000 }),
        (value, field) => {
          const bytes = new ProtoMessage().int(field, value).encode();
          const tag = readVarint(bytes, 0);
          const read = readVarint(bytes, tag.next);
          assert.equal(tag.value, BigInt(field) << 3n);
          assert.equal(BigInt.asIntN(64, read.value), value);
          assert.equal(read.next, bytes.length);
        },
      ),
    );
  });

  test('message nests what was added before, byte for byte as its own encoding', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (parts) => {
        const inner = new ProtoMessage();
        for (const part of parts) inner.bytes(3, part);
        const nested = new ProtoMessage().message(7, inner).encode();
        assert.deepEqual(nested, new ProtoMessage().bytes(7, inner.encode()).encode());
      }),
    );
  });
});

describe('encodeAttribute', () => {
  test('refuses a fraction that was not said to be a float, and names the remedy', () => {
    assert.throws(
      () => encodeAttribute('alpha', 0.5),
      /attribute 'alpha' is 0\.5: a float is written \{ float: 0\.5 \}/,
    );
  });
});

describe('tensorOf', () => {
  test('refuses values that do not fill the shape', () => {
    assert.throws(
      () => tensorOf('int64', [2, 3], new BigInt64Array(5)),
      /int64 tensor of shape \[2,3\] takes 48 bytes, got 40/,
    );
  });
});

describe('encodeModel', () => {
  test('writes a model that ONNX Runtime runs', async () => {
    const x = new Tensor(
      'int32',
      Int32Array.from({ length: 32 }, (_, i) => i),
      [2, 16],
    );
    const outputs = await runOnce(encodeModel(addSub()), { INPUT0: x, INPUT1: x });
    assert.deepEqual(
      valuesOf(outputs, 'OUTPUT0'),
      Array.from({ length: 32 }, (_, i) => 2 * i),
    );
    assert.deepEqual(valuesOf(outputs, 'OUTPUT1'), new Array<number>(32).fill(0));
  });

  test('keeps names and free dimensions of inputs and outputs', async () => {
    const graph = new GraphBuilder('shapes');
    graph.node('Identity', [graph.input('in', 'double', ['batch', 3, ''])], {}, { outputs: ['out'] });
    graph.output('out', 'double', ['batch', 3, '']);
    const session = await openSession(encodeModel(graph));
    assert.deepEqual(session.inputMetadata, [{ name: 'in', isTensor: true, type: 'float64', shape: ['batch', 3, ''] }]);
    assert.deepEqual(session.outputNames, ['out']);
  });

  test('carries attributes of every kind to the operators', async () => {
    const graph = new GraphBuilder('attributes');
    const x = graph.input('x', 'float', [1, 2]);
    const wave = graph.node('LeakyRelu', [x], { alpha: { float: 0.25 } });
    const offset = graph.node('Constant', [], { value: { tensor: floats([2], [10, 20]) } });
    const shape = graph.node('Constant', [], { value_ints: [2, 1] });
    graph.node('Reshape', [graph.node('Add', [wave, offset]), shape], {}, { outputs: ['y'] });
    graph.output('y', 'float', [2, 1]);
    const outputs = await runOnce(encodeModel(graph), { x: new Tensor('float32', [-4, 4], [1, 2]) });
    assert.deepEqual(valuesOf(outputs, 'y'), [9, 24]);
    assert.deepEqual(outputs['y']?.dims, [2, 1]);
  });

  test('declares the asked operator set, file format and further domains', async () => {
    const graph = new GraphBuilder('versions');
    graph.node('Identity', [graph.input('x', 'float', ['n'])], {}, { outputs: ['y'] });
    graph.output('y', 'float', ['n']);
    await assert.rejects(openSession(encodeModel(graph, { opset: 99 })), /opset 99/i);
    await assert.rejects(openSession(encodeModel(graph, { irVersion: 99 })), /IR version: 99/i);
    await openSession(encodeModel(graph, { opset: 13, irVersion: 7, domains: { 'com.microsoft': 1 } }));
  });

  test('refers to weights in another file by place and length', async (t) => {
    const graph = new GraphBuilder('external');
    const external = { location: 'weights.bin', offsetBytes: 8, sizeBytes: 8 };
    const offset = graph.constant({ type: 'float', shape: [2], data: { external } });
    graph.node('Add', [graph.input('x', 'float', [2]), offset], {}, { outputs: ['y'] });
    graph.output('y', 'float', [2]);
    const directory = join(temporaryDirectory(t), 'model');
    mkdirSync(directory);
    writeFileSync(join(directory, 'model.onnx'), encodeModel(graph));
    writeFileSync(join(directory, 'weights.bin'), new Uint8Array(Float32Array.of(-1, -1, 3, 4).buffer));
    const outputs = await runOnce(join(directory, 'model.onnx'), { x: new Tensor('float32', [1, 1], [2]) });
    assert.deepEqual(valuesOf(outputs, 'y'), [4, 5]);
  });
});
