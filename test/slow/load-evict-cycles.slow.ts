/** Memory that an evicted model held goes back to the system, however often: ONNX Runtime and the C library keep none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mebibytes, showFigures } from '../fixtures/figures.ts';
import { fleetOf } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { processTree, summedPssBytes } from '../fixtures/process-tree.ts';
import { startSkein } from '../fixtures/skein-process.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { describeFailures, type Outcome, Sender } from '../fixtures/traffic/sender.ts';

/** Twelve models of 14 MB, asked for in turn, on two backends that hold one or two each: most requests are loads. */
const budget = '64MiB';
const settledAfter = 20;

test('Memory after many loads and evictions is what it was after the first twenty', async (t) => {
  const repository = temporaryDirectory(t);
  const names = writeManyModels(repository, 12, { kind: 'dense', sizeBytes: 14_000_000 });
  const skein = await startSkein({ repository, args: ['--memory', budget, '--backends', '2'] });
  t.after(() => skein.kill());
  const sender = new Sender(skein.http);
  t.after(() => sender.close());
  const pids = processTree(skein.pid).map(({ pid }) => pid);
  const row = binaryRequest('any', [floatTensor('input', [1, 16])]);
  const cycles = sized(200, 1_000);
  const outcomes: Outcome[] = [];
  const seen: number[] = [];
  for (let cycle = 0; cycle < settledAfter + cycles; cycle++) {
    outcomes.push(await sender.send(forModel(names[cycle % names.length]!, row)));
    seen.push(summedPssBytes(pids));
  }
  assert.equal(describeFailures(outcomes), '');
  const { loads } = await fleetOf(skein.http);
  // Single looks differ by a batch of garbage that the collector has not taken yet: ten of them are compared.
  const early = mean(seen.slice(settledAfter - 10, settledAfter));
  const late = mean(seen.slice(-10));
  showFigures(t, { loads, 'after 20': mebibytes(early), 'at the end': mebibytes(late), ratio: late / early });
  assert.ok(loads >= 0.6 * outcomes.length, `only ${loads} loads: the models fit beside each other`);
  assert.ok(late <= 1.05 * early, `${mebibytes(early)} after the first ${settledAfter} became ${mebibytes(late)}`);
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
