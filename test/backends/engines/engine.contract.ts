/** What every engine keeps to, whatever runs its models. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Engine, LoadedModel } from '../../../src/backends/engines/engine.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { type Datatype, elementBytes } from '../../../src/protocol/tensors/datatype.ts';
import { defaultSignatureName } from '../../../src/protocol/tensors/named-signature.ts';
import type { Tensor, TensorSpec } from '../../../src/protocol/tensors/tensor.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { longestGapMs } from './event-loop-gap.ts';
import { bytesOf, encodeStrings, floatsOf, floatsTensor, tensor, whileCollecting } from './test-tensors.ts';

/** An engine and models for it. Each of these writes one into a directory that is its own, and returns what to load. */
interface ContractEngine {
  readonly engine: Engine;
  /** INPUT0 to an equal OUTPUT0, both of any length. */
  identity(directory: string, datatype: Datatype): string;
  /** x FP32 [-1] to y0, y1, y2, of which yi is x + i. */
  sums(directory: string): string;
  /** x FP32 [-1,1] to an equal y, after some hundred milliseconds of one core. */
  slow(directory: string): string;
  /** What is none, though it is called one. */
  damaged(directory: string): string;
}

type Owner = { after(hook: () => unknown): void };

export function engineContract(name: string, make: () => ContractEngine): void {
  describe(`the ${name} engine`, () => {
    const under = make();
    const run = (model: LoadedModel, inputs: readonly Tensor[], wanted: readonly string[], signal?: AbortSignal) =>
      model.run(defaultSignatureName, inputs, wanted, signal);
    const loadPath = (path: string, signal = new AbortController().signal) =>
      under.engine.load({ model: 'm', version: 1, path }, { threads: 1, parameters: {} }, signal);

    async function load(owner: Owner, write: (directory: string) => string): Promise<LoadedModel> {
      const model = await loadPath(write(temporaryDirectory(owner)));
      owner.after(() => model.unload());
      return model;
    }

    test('names its kind, its version and its library', () => {
      const { kind, version } = under.engine.probe();
      assert.equal(kind, under.engine.kind);
      assert.match(version, /^\d+\.\d+/);
    });

    test('tells the signature of a model, free dimensions as -1', async (t) => {
      const model = await load(t, under.sums);
      const spec = (name: string) => ({ name, datatype: 'FP32', shape: [-1] });
      const { inputs, outputs, method } = model.signatures.get(defaultSignatureName)!;
      assert.equal(method, 'predict');
      // What its graph calls them is the engine's own matter.
      const declared = (specs: readonly TensorSpec[]) => specs.map(({ graphName: _, ...rest }) => rest);
      assert.deepEqual(declared(inputs), [spec('x')]);
      assert.deepEqual(declared(outputs), [spec('y0'), spec('y1'), spec('y2')]);
    });

    for (const datatype of Object.keys(elementBytes) as Datatype[]) {
      test(`hands tensors of ${datatype} through, bit for bit, in one piece or in several`, async (t) => {
        const model = await load(t, (directory) => under.identity(directory, datatype));
        for (const [bytes, count] of samplesOf(datatype)) {
          for (const parts of [[bytes], [bytes.subarray(0, 3), bytes.subarray(3)]]) {
            const input = { name: 'INPUT0', datatype, shape: [count], parts, byteLength: bytes.length };
            const [output] = await whileCollecting(run(model, [input], ['OUTPUT0']));
            assert.deepEqual([output!.datatype, output!.shape], [datatype, [count]]);
            assert.equal(bytesOf(output!).toString('hex'), bytes.toString('hex'));
          }
        }
      });
    }

    test('gives the outputs in the order in which they are wanted, and only those', async (t) => {
      const model = await load(t, under.sums);
      const outputs = await run(model, [floatsTensor('x', [2], [1, 5])], ['y2', 'y0']);
      assert.deepEqual(
        outputs.map((output) => [output.name, ...floatsOf(output)]),
        [
          ['y2', 3, 7],
          ['y0', 1, 5],
        ],
      );
    });

    test('answers each of many runs at once with its own', async (t) => {
      const model = await load(t, under.sums);
      const answers = await whileCollecting(
        Promise.all(Array.from({ length: 400 }, (_, i) => run(model, [floatsTensor('x', [2], [i, i + 1])], ['y1']))),
      );
      answers.forEach(([output], i) => {
        assert.deepEqual(floatsOf(output), [i + 1, i + 2]);
      });
    });

    test('gives outputs that own their bytes, after the model is gone, too', async (t) => {
      const model = await loadPath(under.sums(temporaryDirectory(t)));
      const [output] = await run(model, [floatsTensor('x', [3], [1, 2, 3])], ['y0']);
      await model.unload();
      globalThis.gc?.();
      assert.deepEqual(floatsOf(output), [1, 2, 3]);
    });

    test('does not begin a run that was cancelled before', async (t) => {
      const model = await load(t, under.slow);
      await assert.rejects(run(model, [floatsTensor('x', [1, 1], [1])], ['y'], AbortSignal.abort()), {
        code: 'cancelled',
      });
    });

    test('ends a run that is cancelled as cancelled, and no other', async (t) => {
      const model = await load(t, under.slow);
      const controller = new AbortController();
      const cancelled = run(model, [floatsTensor('x', [1, 1], [1])], ['y'], controller.signal);
      const beside = run(model, [floatsTensor('x', [1, 1], [2])], ['y']);
      setTimeout(() => controller.abort(), 20);
      await assert.rejects(cancelled, { code: 'cancelled' });
      assert.deepEqual(floatsOf((await beside)[0]), [2]);
      assert.deepEqual(floatsOf((await run(model, [floatsTensor('x', [1, 1], [3])], ['y']))[0]), [3]);
    });

    test('waits for its runs before it unloads, and runs nothing after', async (t) => {
      const model = await loadPath(under.slow(temporaryDirectory(t)));
      const slow = run(model, [floatsTensor('x', [1, 1], [4])], ['y']);
      const unloaded = model.unload();
      assert.deepEqual(floatsOf((await slow)[0]), [4]);
      await unloaded;
      await assert.rejects(run(model, [floatsTensor('x', [1, 1], [4])], ['y']), { code: 'copy_gone' });
      await model.unload();
    });

    test('lets the event loop go on while it loads and runs', async (t) => {
      const path = under.slow(temporaryDirectory(t));
      let model: LoadedModel | undefined;
      const gapMs = await longestGapMs(async () => {
        model = await loadPath(path);
        await run(model, [floatsTensor('x', [1, 1], [1])], ['y']);
      });
      await model?.unload();
      assert.ok(gapMs < 250, `the event loop stood still for ${gapMs} ms`);
    });

    test('frees what a load took that was cancelled', async (t) => {
      const path = under.sums(temporaryDirectory(t));
      await assert.rejects(loadPath(path, AbortSignal.abort()), { code: 'cancelled' });
    });

    test('refuses what is damaged with load_failed, names no place of this host, and goes on', async (t) => {
      const directory = temporaryDirectory(t);
      const fault = await loadPath(under.damaged(directory)).catch((error: unknown) => error);
      assert.ok(fault instanceof SkeinError && fault.code === 'load_failed', String(fault));
      assert.ok(!fault.message.includes(directory), fault.message);
      const model = await load(t, under.sums);
      assert.deepEqual(floatsOf((await run(model, [floatsTensor('x', [1], [1])], ['y1']))[0]), [2]);
    });

    test('refuses inputs that the model does not take with run_failed, and goes on', async (t) => {
      const model = await load(t, under.sums);
      const wrong: readonly Tensor[][] = [
        [tensor('x', 'INT64', [1], Buffer.alloc(8))],
        [floatsTensor('no_such', [1], [1])],
        [],
        [{ ...floatsTensor('x', [1], [1]), shape: [2] }],
      ];
      for (const inputs of wrong) await assert.rejects(run(model, inputs, ['y0']), { code: 'run_failed' });
      await assert.rejects(run(model, [floatsTensor('x', [1], [1])], ['no_such']), { code: 'run_failed' });
      assert.deepEqual(floatsOf((await run(model, [floatsTensor('x', [1], [1])], ['y0']))[0]), [1]);
    });

    test('tells what a model holds, and expects about as much before', async (t) => {
      const directory = temporaryDirectory(t);
      const path = under.sums(directory);
      const expected = await under.engine.estimateBytes({ model: 'm', version: 1, path });
      const model = await loadPath(path);
      assert.ok(expected > 0 && model.memory.residentBytes > 0);
      assert.ok(model.memory.runPeakBytes(2) >= model.memory.runPeakBytes(1));
      await model.unload();
    });
  });
}

/** Bytes and how many elements they are: none, one, and many. */
function samplesOf(datatype: Datatype): [Buffer, number][] {
  if (datatype === 'BYTES') {
    const texts = ['', 'a', 'twenty-two bytes long.', 'twenty-three bytes long', '\0 is a byte', 'ä'.repeat(70_000)];
    return [
      [encodeStrings(texts.map((text) => Buffer.from(text))), texts.length],
      [encodeStrings([]), 0],
      [encodeStrings([Buffer.from([0xff, 0xfe, 0])]), 1],
    ];
  }
  const count = 37;
  const bytes = Buffer.alloc(count * elementBytes[datatype]);
  for (let i = 0; i < bytes.length; i++) bytes[i] = datatype === 'BOOL' ? i % 2 : (i * 53 + 7) % 251;
  return [
    [bytes, count],
    [Buffer.alloc(0), 0],
  ];
}
