import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { addSub } from '../../../../examples/models/add-sub.ts';
import { encodeModel } from '../../../../examples/models/onnx-writer/model.ts';
import { GraphCache } from '../../../../src/backends/engines/onnx/graph-cache.ts';
import { SkeinError } from '../../../../src/protocol/errors.ts';
import { defaultSignature, defaultSignatureName } from '../../../../src/protocol/tensors/named-signature.ts';
import { elementCount } from '../../../../src/protocol/tensors/tensor.ts';
import { identityModel } from '../../../fixtures/identity-models.ts';
import { temporaryDirectory } from '../../../fixtures/model-folder.ts';
import { mapInputModel, mapOutputModel, sequenceOutputModel } from '../../../fixtures/non-tensor-models.ts';
import { summedPssBytes } from '../../../fixtures/process-tree.ts';
import { seededRandom } from '../../../fixtures/random.ts';
import { slowToLoadModel } from '../../../fixtures/slow-models.ts';
import { externalDataModel, qdqModel, qlinearModel } from '../../../fixtures/storage-models.ts';
import { longestGapMs } from '../event-loop-gap.ts';
import { bytesOf, floatsOf, floatsTensor, tensor } from '../test-tensors.ts';
import { loadModel, testEngine, writeModel } from './opened-engine.ts';
import { weightyModel } from './weighty-model.ts';

const ortFile = join(import.meta.dirname, '../../../fixtures/ort/add-sub.ort');

function withCache(directory: string) {
  return testEngine(new GraphCache(join(directory, 'cache'), 2 ** 30));
}

for (const cached of [false, true]) {
  const suffix = cached ? ', through the cache' : '';
  const engineIn = (directory: string) => (cached ? withCache(directory) : testEngine());

  describe(`OnnxEngine${suffix}`, () => {
    for (const [what, bytes, step] of [
      ['QDQ', qdqModel(), 1 / 16],
      ['QLinear', qlinearModel(), 1 / 8],
    ] as const) {
      test(`runs a model quantised as ${what}`, async (t) => {
        const directory = temporaryDirectory(t);
        const model = await loadModel(engineIn(directory), writeModel(directory, bytes));
        const [y] = await model.run(defaultSignatureName, [floatsTensor('x', [1, 4], [1, -2, 0.5, 3])], ['y']);
        floatsOf(y).forEach((value, i) => {
          assert.ok(Math.abs(value - [2, -4, 1, 6][i]!) <= step, `${value} is not ${[2, -4, 1, 6][i]}`);
        });
        await model.unload();
      });
    }

    test('runs an .ort file', async (t) => {
      const directory = temporaryDirectory(t);
      const path = writeModel(directory, readFileSync(ortFile), 'model.ort');
      const engine = engineIn(directory);
      const model = await loadModel(engine, path);
      const ints = (value: number) => new Uint8Array(Int32Array.from({ length: 16 }, () => value).buffer);
      const [sum] = await model.run(
        defaultSignatureName,
        [tensor('INPUT0', 'INT32', [1, 16], ints(3)), tensor('INPUT1', 'INT32', [1, 16], ints(4))],
        ['OUTPUT0'],
      );
      assert.equal(bytesOf(sum!).readInt32LE(0), 7);
      assert.deepEqual(engine.warnings, []);
      await model.unload();
    });

    test('runs a model whose weights lie in a second file', async (t) => {
      const directory = temporaryDirectory(t);
      const path = writeExternal(directory);
      const model = await loadModel(engineIn(directory), path);
      assert.deepEqual(
        floatsOf((await model.run(defaultSignatureName, [floatsTensor('x', [1, 4], [1, 2, 3, 4])], ['y']))[0]),
        [2, 4, 6, 8],
      );
      await model.unload();
    });

    for (const location of ['missing.bin', '../weights.bin', '/etc/passwd']) {
      test(`refuses a model whose weights should lie in ${location}, without the path of this host`, async (t) => {
        const directory = temporaryDirectory(t);
        const path = writeModel(directory, externalDataModel(location).model);
        writeFileSync(join(directory, 'weights.bin'), externalDataModel().weights);
        const engine = engineIn(directory);
        await assert.rejects(loadModel(engine, path), loadFailed(/./, directory));
        assert.deepEqual(engine.warnings, [], 'a model that does not load warns of nothing else');
      });
    }

    for (const [what, bytes, text] of [
      ['sequence', sequenceOutputModel(), /output 'pieces' of model 'm' is a sequence/],
      ['map as its output', mapOutputModel(), /output 'classes' of model 'm' is a sequence/],
      ['map as its input', mapInputModel(), /input 'counts' of model 'm' is a map/],
    ] as const) {
      test(`refuses a model with a ${what}, by name`, async (t) => {
        const directory = temporaryDirectory(t);
        const engine = engineIn(directory);
        await assert.rejects(loadModel(engine, writeModel(directory, bytes)), {
          code: 'io_unsupported',
          message: text,
        });
        assert.deepEqual(engine.warnings, []);
      });
    }

    const good = encodeModel(addSub());
    for (const [what, bytes] of [
      ['empty', Buffer.alloc(0)],
      ['random', Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 167 + 13) % 256))],
      ['cut in the middle', good.subarray(0, good.length / 2)],
      ['cut at its end', good.subarray(0, good.length - 1)],
      ['a picture', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')],
    ] as const) {
      test(`refuses a file that is ${what} with load_failed alone`, async (t) => {
        const directory = temporaryDirectory(t);
        const engine = engineIn(directory);
        await assert.rejects(loadModel(engine, writeModel(directory, bytes)), loadFailed(/./, directory));
        assert.deepEqual(engine.warnings, []);
        const model = await loadModel(engine, writeModel(directory, good));
        await model.unload();
      });
    }

    test('refuses an .ort file that is none with load_failed', async (t) => {
      const directory = temporaryDirectory(t);
      const cut = readFileSync(ortFile).subarray(0, 200);
      for (const bytes of [cut, good]) {
        await assert.rejects(
          loadModel(engineIn(directory), writeModel(directory, bytes, 'model.ort')),
          loadFailed(/./, directory),
        );
      }
    });

    test('loads or refuses models whose bytes were changed, and goes on', async (t) => {
      const directory = temporaryDirectory(t);
      const engine = engineIn(directory);
      const random = seededRandom(7);
      for (let i = 0; i < 30; i++) {
        const bytes = Buffer.from(good);
        for (let n = 0; n < 3; n++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
        const outcome = await loadModel(engine, writeModel(directory, bytes)).catch((fault: unknown) => fault);
        if (outcome instanceof SkeinError) assert.match(outcome.code, /^(load_failed|io_unsupported)$/);
        else if (outcome instanceof Error) throw outcome;
        else await (outcome as { unload(): Promise<void> }).unload();
      }
      await (await loadModel(engine, writeModel(directory, good))).unload();
    });

    test('lets the event loop go on while it loads', async (t) => {
      const directory = temporaryDirectory(t);
      const engine = engineIn(directory);
      const path = writeModel(directory, slowToLoadModel(1_000));
      const gapMs = await longestGapMs(async () => (await loadModel(engine, path)).unload());
      assert.ok(gapMs < 250, `the event loop stood still for ${gapMs} ms`);
    });

    test('frees a model whose load was given up', async (t) => {
      const directory = temporaryDirectory(t);
      const engine = engineIn(directory);
      const controller = new AbortController();
      const load = loadModel(engine, writeModel(directory, slowToLoadModel(100)), { signal: controller.signal });
      controller.abort();
      await assert.rejects(load, { code: 'cancelled' });
    });

    test('holds no more memory after fifty loads and unloads than after the first few', async (t) => {
      const directory = temporaryDirectory(t);
      const engine = engineIn(directory);
      // 4 MB of weights, in products that the optimiser leaves as they are.
      const path = writeModel(directory, weightyModel());
      const cycle = async () => {
        const model = await loadModel(engine, path);
        await model.run(defaultSignatureName, [floatsTensor('x', [1, 1_024], Array(1_024).fill(1))], ['y']);
        await model.unload();
        globalThis.gc!();
      };
      for (let i = 0; i < 10; i++) await cycle();
      const before = summedPssBytes([process.pid]);
      for (let i = 0; i < 50; i++) await cycle();
      const grownBytes = summedPssBytes([process.pid]) - before;
      // One model that stays would be 4 MB; all of them 200.
      assert.ok(grownBytes < 40 * 2 ** 20, `${grownBytes} bytes more`);
    });
  });
}

describe('OnnxEngine', () => {
  test('tells what it found', () => {
    const facts = testEngine().engine.probe();
    assert.match(facts.version, /^1\.\d+\.\d+/);
    assert.ok(facts.providers.includes('CPUExecutionProvider'));
  });

  test('tells its one signature, free dimensions as -1', async (t) => {
    const directory = temporaryDirectory(t);
    const model = await loadModel(testEngine(), writeModel(directory, identityModel('int64', ['n', 3])));
    assert.deepEqual([...model.signatures.keys()], [defaultSignatureName]);
    assert.deepEqual(model.signatures.get(defaultSignatureName), {
      name: 'serving_default',
      method: 'predict',
      inputs: [{ name: 'INPUT0', datatype: 'INT64', shape: [-1, 3] }],
      outputs: [{ name: 'OUTPUT0', datatype: 'INT64', shape: [-1, 3] }],
    });
    await model.unload();
  });

  test('counts weights in a second file as memory, with and without the cache', async (t) => {
    const directory = temporaryDirectory(t);
    const path = writeModel(directory, externalDataModel('large.bin').model);
    writeFileSync(
      join(dirname(path), 'large.bin'),
      Buffer.concat([externalDataModel().weights, Buffer.alloc(8 * 2 ** 20)]),
    );
    const model = await loadModel(testEngine(), path);
    assert.ok(model.memory.residentBytes > 8 * 2 ** 20, `${model.memory.residentBytes}`);
    await model.unload();
  });

  test('knows from its cache what a model holds and what a run takes', async (t) => {
    const directory = temporaryDirectory(t);
    const model = await loadModel(withCache(directory), writeModel(directory, weightyModel()));
    const { residentBytes, runPeakBytes } = model.memory;
    assert.ok(residentBytes > 3 * 2 ** 20 && residentBytes < 20 * 2 ** 20, `${residentBytes} bytes resident`);
    assert.ok(runPeakBytes(1) > 0);
    assert.ok(runPeakBytes(64) > runPeakBytes(1));
    await model.unload();
  });

  test('says of the load that prepares a model what the next ones will take', async (t) => {
    const directory = temporaryDirectory(t);
    const engine = withCache(directory);
    const path = writeModel(directory, weightyModel());
    const startMs = performance.now();
    const prepared = await loadModel(engine, path);
    const tookMs = performance.now() - startMs;
    assert.ok(prepared.reloadMs !== undefined && prepared.reloadMs > 0 && prepared.reloadMs < tookMs);
    await prepared.unload();
    const again = await loadModel(engine, path);
    assert.equal(again.reloadMs, undefined);
    await again.unload();
  });

  test('measures the run of a model whose shapes are all fixed', async (t) => {
    const directory = temporaryDirectory(t);
    const model = await loadModel(withCache(directory), writeModel(directory, identityModel('float', [1, 4_096])));
    assert.ok(model.memory.runPeakBytes(1) > 0);
    await model.unload();
  });

  test('names models that have the same content once in its cache', async (t) => {
    const directory = temporaryDirectory(t);
    const engine = withCache(directory);
    const first = writeModel(directory, weightyModel());
    const second = join(directory, 'copy', 'model.onnx');
    mkdirSync(dirname(second));
    copyFileSync(first, second);
    const models = await Promise.all([loadModel(engine, first), loadModel(engine, second)]);
    assert.deepEqual(engine.warnings, []);
    for (const model of models) await model.unload();
  });
});

function loadFailed(text: RegExp, directory: string) {
  return (fault: SkeinError) => {
    assert.ok(fault instanceof SkeinError, String(fault));
    assert.equal(fault.code, 'load_failed');
    assert.match(fault.message, text);
    assert.ok(!fault.message.includes(directory), `the message names a path of this host: ${fault.message}`);
    return true;
  };
}

function writeExternal(directory: string): string {
  const { model, weights } = externalDataModel();
  const path = writeModel(directory, model);
  writeFileSync(join(dirname(path), 'weights.bin'), weights);
  return path;
}

describe('OnnxEngine, sessions of other threads over the weights of a cached model', () => {
  test('answer as the first does, count what kernels repacked, not what is mapped, and go by themselves', async (t) => {
    const directory = temporaryDirectory(t);
    const path = writeModel(directory, weightyModel(8));
    const engine = withCache(directory);
    const model = await loadModel(engine, path, { threads: 2 });
    assert.ok(model.siblings!.residentBytes <= model.memory.residentBytes);
    const sibling = await model.siblings!.load(1);
    assert.equal(sibling.memory.residentBytes, model.siblings!.residentBytes);
    const { inputs, outputs } = defaultSignature(model.signatures);
    const run = (one: typeof model) =>
      one.run(
        defaultSignatureName,
        inputs.map(({ name, shape }) => {
          const full = shape.map((size) => Math.max(1, size));
          return floatsTensor(
            name,
            full,
            Array.from({ length: elementCount(full) }, (_, i) => i % 7),
          );
        }),
        outputs.map(({ name }) => name),
      );
    assert.deepEqual(floatsOf((await run(sibling))[0]), floatsOf((await run(model))[0]));
    await sibling.unload();
    await run(model);
    await model.unload();
  });

  test('are not offered where each would hold the weights again', async (t) => {
    const model = await loadModel(testEngine(), writeModel(temporaryDirectory(t), weightyModel(1)));
    assert.deepEqual([model.siblings, model.notes], [undefined, undefined]);
    await model.unload();
  });

  test('find the notes that were kept of the model by an earlier load, and only of the same model', async (t) => {
    const directory = temporaryDirectory(t);
    const bytes = weightyModel(1);
    const first = await loadModel(withCache(directory), writeModel(directory, bytes));
    await first.notes!.write('runs-2.json', 'learned');
    await first.unload();
    const again = await loadModel(withCache(directory), writeModel(directory, bytes));
    assert.equal(await again.notes!.read('runs-2.json'), 'learned');
    const other = await loadModel(withCache(directory), writeModel(directory, weightyModel(2)));
    assert.equal(await other.notes!.read('runs-2.json'), undefined);
    await again.unload();
    await other.unload();
  });
});
