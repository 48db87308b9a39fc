import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GraphBuilder } from '../../../../examples/models/onnx-writer/graph-builder.ts';
import { encodeModel } from '../../../../examples/models/onnx-writer/model.ts';
import type { LoadedModel } from '../../../../src/backends/engines/engine.ts';
import { SkeinError } from '../../../../src/protocol/errors.ts';
import { defaultSignatureName } from '../../../../src/protocol/tensors/named-signature.ts';
import type { Tensor } from '../../../../src/protocol/tensors/tensor.ts';
import { identityModel } from '../../../fixtures/identity-models.ts';
import { temporaryDirectory } from '../../../fixtures/model-folder.ts';
import { divisionModel } from '../../../fixtures/poison-model.ts';
import { slowByRequestModel } from '../../../fixtures/slow-models.ts';
import { longestGapMs } from '../event-loop-gap.ts';
import { bytesOf, encodeStrings, floatsOf, floatsTensor, tensor, whileCollecting } from '../test-tensors.ts';
import { loadModel, testEngine, writeModel } from './opened-engine.ts';

type Owner = { after(hook: () => unknown): void };

const engine = testEngine();

async function load(owner: Owner, bytes: Uint8Array): Promise<LoadedModel> {
  const model = await loadModel(engine, writeModel(temporaryDirectory(owner), bytes));
  owner.after(() => model.unload());
  return model;
}

function int32s(name: string, values: readonly number[]) {
  return tensor(name, 'INT32', [values.length, 1], new Uint8Array(Int32Array.from(values).buffer));
}

/** A run of so many milliseconds, on the one core that it takes. */
function runFor(model: LoadedModel, milliseconds: number, signal?: AbortSignal) {
  const inputs = [
    floatsTensor('x', [1, 1], [milliseconds]),
    tensor('milliseconds', 'INT64', [1], new Uint8Array(BigInt64Array.of(BigInt(milliseconds)).buffer)),
  ];
  return model.run(defaultSignatureName, inputs, ['y'], signal);
}

describe('OnnxModel', () => {
  test('runs once for each of many at once, more than may be under way in the library', async (t) => {
    const model = await load(t, identityModel('float', ['n']));
    const answers = await whileCollecting(
      Promise.all(
        Array.from({ length: 600 }, (_, i) =>
          model.run(defaultSignatureName, [floatsTensor('INPUT0', [2], [i, i + 1])], ['OUTPUT0']),
        ),
      ),
    );
    answers.forEach(([output], i) => {
      assert.deepEqual(floatsOf(output), [i, i + 1]);
    });
  });

  test('runs a graph whose time follows from shapes on this thread, too, and no other', async (t) => {
    const model = await load(t, identityModel('float', ['n']));
    for (let i = 0; i < 3; i++) {
      const [output] = model.runHere!(defaultSignatureName, [floatsTensor('INPUT0', [2], [i, i + 1])], ['OUTPUT0']);
      assert.deepEqual(floatsOf(output), [i, i + 1]);
      assert.throws(
        () => model.runHere!(defaultSignatureName, [floatsTensor('NONE', [2], [1, 2])], ['OUTPUT0']),
        (fault) => fault instanceof SkeinError && fault.code === 'run_failed',
      );
    }
    const slow = await load(t, slowByRequestModel());
    assert.equal(slow.runHere, undefined);
  });

  test('does not free the outputs of a run again where the next one cannot begin', async (t) => {
    const model = await load(t, identityModel('float', ['n']));
    const run = (tensor: Tensor) => model.run(defaultSignatureName, [tensor], ['OUTPUT0']);
    const good = floatsTensor(
      'INPUT0',
      [40],
      Array.from({ length: 40 }, (_, i) => i),
    );
    for (let round = 0; round < 20; round++) {
      assert.equal((await run(good))[0]!.byteLength, 160);
      // Whoever reads requests has refused such a tensor; memory that runs out is met in the same place.
      await assert.rejects(run({ ...good, shape: [1_000] }), { code: 'run_failed' });
    }
  });

  test('gives the outputs in the order in which they are wanted, and only those', async (t) => {
    const model = await load(t, manyOutputs(3));
    const names = async (wanted: string[]) =>
      (await model.run(defaultSignatureName, [floatsTensor('x', [1], [1])], wanted)).map((output) => [
        output.name,
        ...floatsOf(output),
      ]);
    assert.deepEqual(await names(['y2', 'y0']), [
      ['y2', 3],
      ['y0', 1],
    ]);
    assert.deepEqual(await names(['y1']), [['y1', 2]]);
  });

  test('keeps the names of runs under way, however many other sets of outputs are asked for meanwhile', async (t) => {
    const count = 20;
    const model = await load(t, manyOutputs(count));
    const sets = Array.from({ length: 150 }, (_, i) => [
      `y${i % count}`,
      `y${(i * 7 + 3) % count}`,
      `y${(i * 11 + 8) % count}`,
    ]);
    const runs = sets.map(async (wanted) => {
      const unique = [...new Set(wanted)];
      const outputs = await model.run(defaultSignatureName, [floatsTensor('x', [1], [1])], unique);
      assert.deepEqual(
        outputs.map((output) => floatsOf(output)[0]),
        unique.map((name) => Number(name.slice(1)) + 1),
      );
    });
    await whileCollecting(Promise.all(runs));
  });

  test('ends a run that is cancelled, and no other', async (t) => {
    const model = await load(t, slowByRequestModel());
    const controller = new AbortController();
    const long = runFor(model, 60_000, controller.signal);
    const beside = runFor(model, 50);
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(long, { code: 'cancelled' });
    assert.deepEqual(floatsOf((await beside)[0]), [50]);
    for (let i = 0; i < 5; i++) assert.deepEqual(floatsOf((await runFor(model, i))[0]), [i]);
  });

  test('does not begin a run that was cancelled before', async (t) => {
    const model = await load(t, slowByRequestModel());
    await assert.rejects(runFor(model, 60_000, AbortSignal.abort()), { code: 'cancelled' });
    assert.deepEqual(floatsOf((await runFor(model, 1))[0]), [1]);
  });

  test('answers a run that was done before it was cancelled, and the next run is not cancelled for it', async (t) => {
    const model = await load(t, identityModel('float', ['n']));
    for (let i = 0; i < 50; i++) {
      const controller = new AbortController();
      const run = model.run(defaultSignatureName, [floatsTensor('INPUT0', [1], [i])], ['OUTPUT0'], controller.signal);
      queueMicrotask(() => controller.abort());
      await run.then(
        ([output]) => assert.deepEqual(floatsOf(output), [i]),
        (fault: SkeinError) => assert.equal(fault.code, 'cancelled'),
      );
      const [after] = await model.run(
        defaultSignatureName,
        [floatsTensor('INPUT0', [1], [7])],
        ['OUTPUT0'],
        new AbortController().signal,
      );
      assert.deepEqual(floatsOf(after), [7]);
    }
  });

  test('lets the event loop go on while it runs', async (t) => {
    const model = await load(t, slowByRequestModel());
    const gapMs = await longestGapMs(() => runFor(model, 400));
    assert.ok(gapMs < 250, `the event loop stood still for ${gapMs} ms`);
  });

  test('lets the event loop go on while it reads and writes ten thousand strings', async (t) => {
    const model = await load(t, identityModel('string', ['n']));
    const input = tensor('INPUT0', 'BYTES', [10_000], encodeStrings(Array(10_000).fill(Buffer.from('some text'))));
    await model.run(defaultSignatureName, [input], ['OUTPUT0']);
    const gapMs = await longestGapMs(() => model.run(defaultSignatureName, [input], ['OUTPUT0']));
    assert.ok(gapMs < 250, `the event loop stood still for ${gapMs} ms`);
  });

  const x = floatsTensor('x', [2], [1, 2]);
  const wrong = {
    'an input that it does not have': [[floatsTensor('z', [2], [1, 2])], ['y0'], /Invalid input name: ?z/i],
    'no input': [[], ['y0'], /./],
    'a wrong datatype': [[tensor('x', 'INT32', [2], Buffer.alloc(8))], ['y0'], /Unexpected input data type/],
    'a wrong rank': [[floatsTensor('x', [1, 2], [1, 2])], ['y0'], /Invalid rank for input: x/],
    'too few bytes for its shape': [[floatsTensor('x', [9], [1])], ['y0'], /./],
    'a negative dimension': [[floatsTensor('x', [-2], [1])], ['y0'], /./],
    'an output that it does not have': [[x], ['y9'], /Invalid output name: ?y9/i],
    'no output': [[x], [], /./],
    'strings that are cut short': [[tensor('x', 'BYTES', [2], Buffer.from([9, 0, 0, 0, 1]))], ['y0'], /./],
  } as const;
  for (const [what, [inputs, wanted, text]] of Object.entries(wrong)) {
    test(`fails a run of ${what} with run_failed, and goes on`, async (t) => {
      const model = await load(t, manyOutputs(2));
      await assert.rejects(model.run(defaultSignatureName, inputs, wanted), (fault: SkeinError) => {
        assert.ok(fault instanceof SkeinError);
        assert.equal(fault.code, 'run_failed');
        assert.match(fault.message, text);
        return true;
      });
      assert.deepEqual(floatsOf((await model.run(defaultSignatureName, [x], ['y1']))[0]), [2, 3]);
    });
  }

  test('frees the outputs of a run once, also where the inputs of the next one cannot be made', async (t) => {
    const model = await load(t, identityModel('string', ['n']));
    const good = tensor('INPUT0', 'BYTES', [2], encodeStrings([Buffer.from('one'), Buffer.from('two')]));
    const cut = tensor('INPUT0', 'BYTES', [2], Buffer.from([9, 0, 0, 0, 1]));
    for (let i = 0; i < 20; i++) {
      const [output] = await model.run(defaultSignatureName, [good], ['OUTPUT0']);
      assert.deepEqual(bytesOf(output!), bytesOf(good));
      await assert.rejects(model.run(defaultSignatureName, [cut], ['OUTPUT0']), { code: 'run_failed' });
    }
  });

  for (const [what, inputs, wanted] of [
    ['an output that is wanted forty times', [x], Array(40).fill('y0')],
    ['an input that is given forty times', Array(40).fill(x), ['y0']],
  ] as const) {
    test(`answers or refuses ${what}, and goes on`, async (t) => {
      const model = await load(t, manyOutputs(2));
      const answer = await model.run(defaultSignatureName, inputs, wanted).catch((fault: SkeinError) => fault);
      if (answer instanceof SkeinError) assert.equal(answer.code, 'run_failed');
      else for (const output of answer) assert.deepEqual(floatsOf(output), [1, 2]);
      assert.deepEqual(floatsOf((await model.run(defaultSignatureName, [x], ['y1']))[0]), [2, 3]);
    });
  }

  test('fails a run in the runtime’s own words where an operator fails, and goes on', async (t) => {
    const model = await load(t, divisionModel());
    await assert.rejects(model.run(defaultSignatureName, [int32s('x', [6, 1]), int32s('y', [3, 0])], ['quotient']), {
      code: 'run_failed',
      message: /Div.*zero/is,
    });
    const [quotient] = await model.run(defaultSignatureName, [int32s('x', [6]), int32s('y', [3])], ['quotient']);
    assert.deepEqual([...new Int32Array(Uint8Array.from(quotient!.parts[0]!).buffer)], [2]);
  });

  test('waits with its unload for the runs under way, and takes no new ones', async (t) => {
    const model = await loadModel(engine, writeModel(temporaryDirectory(t), slowByRequestModel()));
    const run = runFor(model, 100);
    const order: string[] = [];
    const unloaded = model.unload().then(() => order.push('unloaded'));
    await assert.rejects(runFor(model, 1), { code: 'copy_gone' });
    order.push(`answered ${floatsOf((await run)[0])}`);
    await unloaded;
    assert.deepEqual(order, ['answered 100', 'unloaded']);
    await model.unload(); // again does nothing
  });
});

/** x FP32 [n] to y0 = x + 0, y1 = x + 1, … */
function manyOutputs(count: number): Buffer {
  const graph = new GraphBuilder('many_outputs');
  const x = graph.input('x', 'float', ['n']);
  for (let i = 0; i < count; i++) {
    const term = graph.constant({ type: 'float', shape: [], data: { raw: new Uint8Array(Float32Array.of(i).buffer) } });
    graph.node('Add', [x, term], {}, { outputs: [`y${i}`] });
    graph.output(`y${i}`, 'float', ['n']);
  }
  return encodeModel(graph);
}
