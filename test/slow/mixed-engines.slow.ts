/**
 * Two engines under one budget: 100 ONNX models and 20 SavedModels, more than fit, asked for by Zipf. Nothing fails, the
 * budget holds, memory goes where it is worth most, and TensorFlow's process is gone after its models are.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mebibytes, showFigures } from '../fixtures/figures.ts';
import { backendPids, fleetOf, modelsOf, unload, until } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { processTree } from '../fixtures/process-tree.ts';
import { seededRandom, zipf } from '../fixtures/random.ts';
import { savedModelPath, writeDenseSavedModel } from '../fixtures/saved-models.ts';
import { startSkein } from '../fixtures/skein-process.ts';
import { sized } from '../fixtures/suite-size.ts';
import { tensorflowLibrary } from '../fixtures/tensorflow-library.ts';
import { closedLoop, forMs } from '../fixtures/traffic/closed-loop.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { describeFailures, Sender } from '../fixtures/traffic/sender.ts';

const mebibyte = 2 ** 20;
const budgetBytes = 192 * mebibyte;
const lanes = 8;

/** Every sixth favourite is a SavedModel. */
function mixed(onnx: readonly string[], saved: readonly string[]): string[] {
  return saved.flatMap((name, i) => [...onnx.slice(5 * i, 5 * i + 5), name]);
}

describe('100 ONNX models and 20 SavedModels under 192 MiB', () => {
  test('lose no request and keep the budget, and TensorFlow goes after its models', async (t) => {
    const repository = temporaryDirectory(t);
    const onnx = writeManyModels(repository, 100, { kind: 'dense', sizeBytes: 2 * mebibyte });
    const saved = Array.from({ length: 20 }, (_, i) => `saved_${String(i).padStart(2, '0')}`);
    for (const [i, name] of saved.entries()) writeDenseSavedModel(savedModelPath(repository, name), 4 * mebibyte, i);
    const skein = await startSkein({
      repository,
      args: ['--memory', '192MiB', '--backends', '1', '--engine-idle', '2s'],
      env: { SKEIN_TENSORFLOW_LIB: tensorflowLibrary() },
    });
    t.after(() => skein.kill());
    const names = mixed(onnx, saved);
    const sender = new Sender(skein.http, (request, body, headerLength) => {
      const index = Math.round(body.readFloatLE(body.length - 4));
      const expected = Number(request.model.slice(request.model.indexOf('_') + 1));
      return index === expected && headerLength < body.length ? undefined : `answered by model ${index}`;
    });
    t.after(() => sender.close());
    const row = binaryRequest('any', [floatTensor('input', [1, 16])]);
    const watch = watchBudget(skein.http);
    const pick = zipf(names.length, 1, seededRandom(11));
    const requests = forMs(sized(30_000, 180_000), () => forModel(names[pick()]!, row));
    const outcomes = await closedLoop(sender, lanes, requests);
    const { mostUsedBytes, samples } = await watch.stop();
    const copies = (await modelsOf(skein.http)).flatMap((model) => model.copies);
    const fleet = await fleetOf(skein.http);
    showFigures(t, {
      requests: outcomes.length,
      loads: fleet.loads,
      'copies at the end': copies.length,
      'most used': mebibytes(mostUsedBytes),
      'limits at the end': fleet.backends.map(({ id, budgetBytes: limit }) => `${id} ${mebibytes(limit)}`).join(', '),
      samples,
    });
    assert.equal(describeFailures(outcomes), '');
    assert.ok(mostUsedBytes <= budgetBytes, `${mebibytes(mostUsedBytes)} were in use`);

    const pid = (await backendPids(skein.http)).get('t1')!;
    for (const name of saved) await unload(skein.http, name);
    await until('its end', 20_000, () => !processTree(skein.pid).some((member) => member.pid === pid) || undefined);
    const back = await until('all memory back', 10_000, async () => {
      const { backends } = await fleetOf(skein.http);
      return backends.length === 1 && backends[0]!.budgetBytes === budgetBytes ? backends : undefined;
    });
    assert.equal(back[0]!.id, 'b1');
    assert.equal((await closedLoop(sender, 1, [forModel(onnx[0]!, row)].values()))[0]!.status, 200);
  });
});

/** What a backend says reaches the router up to this many looks later: what counts has to last as long. */
const looksBehind = 3;

/** Looks ten times a second at what the backends say that they hold together. */
function watchBudget(http: string): { stop(): Promise<{ mostUsedBytes: number; samples: number }> } {
  let isOver = false;
  const used: number[] = [];
  const looking = (async () => {
    while (!isOver) {
      const { backends } = await fleetOf(http);
      used.push(backends.reduce((sum, backend) => sum + backend.usedBytes, 0));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await looking;
      return { mostUsedBytes: mostLasting(used), samples: used.length };
    },
  };
}

function mostLasting(values: readonly number[]): number {
  const lasting = values.map((_, i) => Math.min(...values.slice(i, i + looksBehind)));
  return Math.max(...lasting.slice(0, values.length - looksBehind + 1));
}
