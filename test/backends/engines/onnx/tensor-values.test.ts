import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type ElementType, elementTypes } from '../../../../examples/models/onnx-writer/element-type.ts';
import type { Dimension } from '../../../../examples/models/onnx-writer/value-type.ts';
import type { LoadedModel } from '../../../../src/backends/engines/engine.ts';
import { elementTypeOf } from '../../../../src/backends/engines/onnx/element-types.ts';
import { type Datatype, elementBytes } from '../../../../src/protocol/tensors/datatype.ts';
import { defaultSignatureName } from '../../../../src/protocol/tensors/named-signature.ts';
import { elementCount, type Tensor } from '../../../../src/protocol/tensors/tensor.ts';
import { identityModel } from '../../../fixtures/identity-models.ts';
import { temporaryDirectory } from '../../../fixtures/model-folder.ts';
import { bytesOf, encodeStrings, tensor, whileCollecting } from '../test-tensors.ts';
import { loadModel, testEngine, writeModel } from './opened-engine.ts';

const engine = testEngine();

async function identity(owner: { after(hook: () => void): void }, element: ElementType, shape: readonly Dimension[]) {
  const path = writeModel(temporaryDirectory(owner), identityModel(element, shape));
  const model = await loadModel(engine, path);
  owner.after(() => model.unload());
  return model;
}

async function throughIdentity(model: LoadedModel, input: Tensor): Promise<Tensor> {
  const [output] = await model.run(defaultSignatureName, [input], ['OUTPUT0']);
  return output!;
}

/** The same bytes, in pieces that begin anywhere. */
function inPieces(input: Tensor, cuts: readonly number[]): Tensor {
  const whole = bytesOf(input);
  const ends = [...new Set([...cuts.map((cut) => cut % (whole.length + 1)), whole.length])].sort((a, b) => a - b);
  let start = 0;
  const parts = ends.map((end) => {
    const room = Buffer.from(new ArrayBuffer(end - start + 65));
    const shift = 1 + (end % 63);
    whole.copy(room, shift, start, end);
    const piece = room.subarray(shift, shift + end - start);
    start = end;
    return piece;
  });
  return { ...input, parts };
}

const cuts = fc.array(fc.nat(5_000), { maxLength: 4 });

describe('createInput and readOutput', () => {
  const numeric = Object.keys(elementTypes).filter((element) => element !== 'string') as ElementType[];
  for (const element of numeric) {
    test(`carry ${element} bit by bit, aligned or not, in one piece or several`, async (t) => {
      const datatype = datatypeOf(element);
      const model = await identity(t, element, ['n']);
      const largest = datatype === 'BOOL' ? 1 : 255;
      await fc.assert(
        fc.asyncProperty(fc.nat(200), fc.integer({ min: 0, max: largest }), cuts, async (count, seed, where) => {
          const bytes = Buffer.alloc(count * elementBytes[datatype]);
          for (let i = 0; i < bytes.length; i++) bytes[i] = (seed + 37 * i) % (largest + 1);
          const input = inPieces(tensor('INPUT0', datatype, [count], bytes), where);
          const output = await throughIdentity(model, input);
          assert.deepEqual([output.name, output.datatype, output.shape], ['OUTPUT0', datatype, [count]]);
          assert.ok(bytes.equals(bytesOf(output)));
        }),
        { numRuns: 20 },
      );
    });
  }

  test('carry strings of any bytes, NUL and none among them', async (t) => {
    const model = await identity(t, 'string', ['n']);
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.array(fc.constantFrom(0, 97), { maxLength: 6 }).map((bytes) => Uint8Array.from(bytes)),
      fc.string({ unit: 'grapheme' }).map((one) => new TextEncoder().encode(one)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 30 }), cuts, async (texts, where) => {
        const encoded = encodeStrings(texts);
        const output = await throughIdentity(
          model,
          inPieces(tensor('INPUT0', 'BYTES', [texts.length], encoded), where),
        );
        assert.deepEqual([output.datatype, output.shape], ['BYTES', [texts.length]]);
        assert.ok(
          encoded.equals(bytesOf(output)),
          `${encoded.toString('hex')} became ${bytesOf(output).toString('hex')}`,
        );
      }),
      { numRuns: 100 },
    );
  });

  test('carry one string of a megabyte with NULs in it', async (t) => {
    const model = await identity(t, 'string', ['n']);
    const blob = Buffer.alloc(2 ** 20, Buffer.from([0, 1, 2, 0xff]));
    const encoded = encodeStrings([blob, Buffer.from('after')]);
    const output = await throughIdentity(model, tensor('INPUT0', 'BYTES', [2], encoded));
    assert.ok(encoded.equals(bytesOf(output)));
  });

  test('carry a scalar', async (t) => {
    const model = await identity(t, 'float', []);
    const bytes = Buffer.from(Float32Array.of(Math.PI).buffer);
    const output = await throughIdentity(model, tensor('INPUT0', 'FP32', [], bytes));
    assert.deepEqual(output.shape, []);
    assert.ok(bytes.equals(bytesOf(output)));
    const text = await identity(t, 'string', []);
    const encoded = encodeStrings([Buffer.from('one')]);
    assert.ok(encoded.equals(bytesOf(await throughIdentity(text, tensor('INPUT0', 'BYTES', [], encoded)))));
  });

  test('carry tensors without elements, of numbers and of strings', async (t) => {
    for (const [element, datatype] of [
      ['float', 'FP32'],
      ['string', 'BYTES'],
    ] as const) {
      const model = await identity(t, element, ['n', 'm']);
      for (const shape of [
        [0, 4],
        [4, 0],
        [0, 0],
      ]) {
        const output = await throughIdentity(model, tensor('INPUT0', datatype, shape, Buffer.alloc(0)));
        assert.deepEqual([output.shape, output.byteLength], [shape, 0]);
      }
    }
  });

  test('carry any shape that a model with free dimensions takes', async (t) => {
    const model = await identity(t, 'int64', ['a', 'b', 3]);
    await fc.assert(
      fc.asyncProperty(fc.nat(5), fc.nat(5), async (a, b) => {
        const bytes = Buffer.alloc(elementCount([a, b, 3]) * 8, 7);
        const output = await throughIdentity(model, tensor('INPUT0', 'INT64', [a, b, 3], bytes));
        assert.deepEqual(output.shape, [a, b, 3]);
        assert.ok(bytes.equals(bytesOf(output)));
      }),
      { numRuns: 20 },
    );
  });

  test('survive the collector, between runs and in the midst of many', async (t) => {
    const [floats, strings] = await Promise.all([identity(t, 'float', ['n']), identity(t, 'string', ['n'])]);
    const runs = Array.from({ length: 200 }, async (_, i) => {
      // Small ones are gathered, large ones used where they lie; nothing here keeps either.
      const bytes = Buffer.alloc(4 * (1 + ((i * 97) % 3_000)), i);
      const output = await throughIdentity(floats, tensor('INPUT0', 'FP32', [bytes.length / 4], bytes));
      assert.ok(bytesOf(output).equals(Buffer.alloc(bytes.length, i)));
      const encoded = encodeStrings([Buffer.from(`text ${i}`), Buffer.alloc(i, 0)]);
      const text = await throughIdentity(strings, tensor('INPUT0', 'BYTES', [2], encoded));
      assert.ok(bytesOf(text).equals(encodeStrings([Buffer.from(`text ${i}`), Buffer.alloc(i, 0)])));
    });
    await whileCollecting(Promise.all(runs));
  });

  test('give every output bytes of its own', async (t) => {
    const model = await identity(t, 'float', ['n']);
    const bytes = Buffer.from(Float32Array.from({ length: 64 }, (_, i) => i).buffer);
    const first = await throughIdentity(model, tensor('INPUT0', 'FP32', [64], bytes));
    const kept = Buffer.from(bytesOf(first));
    bytes.fill(0);
    for (let i = 0; i < 20; i++) await throughIdentity(model, tensor('INPUT0', 'FP32', [64], Buffer.alloc(256, i)));
    assert.ok(kept.equals(bytesOf(first)));
  });
});

describe('elementTypeOf', () => {
  let codes: Map<number, string>;
  before(() => {
    codes = new Map(Object.entries(elementTypes).map(([name, { code }]) => [code, name]));
  });

  test('has the codes of ONNX, each once', () => {
    const used = Object.values(elementTypeOf);
    assert.equal(new Set(used).size, used.length);
    for (const code of used) assert.ok(codes.has(code), `${code} is no element type`);
  });
});

function datatypeOf(element: ElementType): Datatype {
  const code = elementTypes[element].code;
  return (Object.keys(elementTypeOf) as Datatype[]).find((datatype) => elementTypeOf[datatype] === code)!;
}
