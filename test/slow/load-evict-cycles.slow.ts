/** Memory that an evicted model held goes back to the system, however often: ONNX Runtime and the C library keep none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mebibytes, showFigures } from '../fixtures/figures.ts';
import { fleetOf, load, unload } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { processTree, summedPssBytes } from '../fixtures/process-tree.ts';
import { startSkein } from '../fixtures/skein-process.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { describeFailures, type Outcome, Sender } from '../fixtures/traffic/sender.ts';

/** Twelve models of 14 MB, asked for in turn, on a backend that holds three: nearly every request is a load. */
const budget = '64MiB';
const settledAfter = 20;

test('Memory after many loads and evictions is what it was after the first twenty', async (t) => {
  const repository = temporaryDirectory(t);
  const names = writeManyModels(repository, 12, { kind: 'dense', sizeBytes: 14_000_000 });
  const skein = await startSkein({ repository, args: ['--memory', budget, '--backends', '1'] });
  t.after(() => skein.kill());
  const sender = new Sender(skein.http);
  t.after(() => sender.close());
  const pids = processTree(skein.pid).map(({ pid }) => pid);
  const row = binaryRequest('any', [floatTensor('input', [1, 16])]);
  const cycles = sized(200, 1_000);
  const outcomes: Outcome[] = [];
  const run = async (count: number) => {
    for (let i = 0; i < count; i++) outcomes.push(await sender.send(forModel(names[i % names.length]!, row)));
  };
  // With nothing loaded: how many copies are there at a given moment is chance, and each is 14 MB.
  const emptied = async () => {
    for (const name of names) await unload(skein.http, name);
    await sleep(500);
    const bytes = summedPssBytes(pids);
    for (const name of names) await load(skein.http, name);
    return bytes;
  };
  await run(settledAfter);
  const early = await emptied();
  const before = (await fleetOf(skein.http)).loads;
  await run(cycles);
  const loads = (await fleetOf(skein.http)).loads - before;
  // V8 grows and shrinks by some MB from one look to the next; what is lost for good is in the least of several.
  const looks: number[] = [];
  for (let look = 0; look < 4; look++) {
    await run(names.length);
    looks.push(await emptied());
  }
  const late = Math.min(...looks);
  assert.equal(describeFailures(outcomes), '');
  showFigures(t, { loads, 'after 20': mebibytes(early), 'at the end': mebibytes(late), ratio: late / early });
  assert.ok(loads >= 0.6 * cycles, `only ${loads} loads: the models fit beside each other`);
  assert.ok(late <= 1.05 * early, `${mebibytes(early)} after the first ${settledAfter} became ${mebibytes(late)}`);
});
