/** Ten thousand models known, ten of them loaded: what the router pays for those that nobody asks for. */
import assert from 'node:assert/strict';
import { copyFileSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectingGarbage } from '../fixtures/collecting-garbage.ts';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { fleetOf, until } from '../fixtures/fleet-client.ts';
import { identityModel } from '../fixtures/identity-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { summedPssBytes } from '../fixtures/process-tree.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { percentile } from '../fixtures/traffic/latency.ts';
import { describeFailures, Sender } from '../fixtures/traffic/sender.ts';

const known = 10_000;
const loaded = 10;
/** The bars. */
const bytesPerModel = 2 * 1024;
const indexWithinMs = 200;

describe(`${known} models known`, () => {
  const repository = temporaryDirectory({ after });
  const empty = temporaryDirectory({ after });
  let skein: SkeinProcess;
  let startMs = 0;

  after(() => skein?.kill());
  before(async () => {
    writeModels(repository);
    const beginMs = performance.now();
    skein = await start(repository);
    startMs = performance.now() - beginMs;
  });

  test('cost the router at most 2 KB each', async (t) => {
    const without = await start(empty);
    t.after(() => without.kill());
    await useSome(skein);
    // Both are there while either is looked at: the pages of the program count by how many share them.
    const emptyBytes = await settledPss(without);
    const { models } = await fleetOf(skein.http);
    assert.equal(models.known, known);
    assert.equal(models.loaded, loaded);
    const fullBytes = await settledPss(skein);
    const each = (fullBytes - emptyBytes) / known;
    showFigures(t, {
      'router without models': `${Math.round(emptyBytes / 1024)} KiB`,
      'router with them': `${Math.round(fullBytes / 1024)} KiB`,
      'bytes a model': Math.round(each),
      'started within': milliseconds(startMs),
    });
    assert.ok(each <= bytesPerModel, `${each} bytes a model`);
  });

  test('are listed in less than 200 ms', async (t) => {
    const took: number[] = [];
    for (let i = 0; i < 15; i++) {
      const atMs = performance.now();
      const answer = await fetch(`${skein.http}/v2/repository/index`, { method: 'POST' });
      const rows = (await answer.json()) as unknown[];
      took.push(performance.now() - atMs);
      assert.ok(rows.length >= known);
    }
    showFigures(t, { 'index p50': milliseconds(percentile(took, 50)), longest: milliseconds(Math.max(...took)) });
    assert.ok(percentile(took, 50) < indexWithinMs);
  });

  test('are found when a new one appears', async (t) => {
    const atMs = performance.now();
    const folder = join(repository, 'the_new_one', '1');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'model.onnx'), identityModel('float', ['N', 16]));
    await until('it is known', 60_000, async () =>
      (await fetch(`${skein.http}/v2/models/the_new_one`)).status === 200 ? true : undefined,
    );
    showFigures(t, { 'known after': milliseconds(performance.now() - atMs) });
  });
});

/** One file under ten thousand names; a few that differ, to be loaded. */
function writeModels(repository: string): void {
  const file = join(repository, 'model_00000', '1', 'model.onnx');
  for (let i = 0; i < known; i++) {
    const folder = join(repository, `model_${String(i).padStart(5, '0')}`, '1');
    mkdirSync(folder, { recursive: true });
    if (i === 0) writeFileSync(file, identityModel('float', ['N', 16]));
    else if (i <= loaded) copyFileSync(file, join(folder, 'model.onnx'));
    else linkSync(file, join(folder, 'model.onnx'));
  }
}

function start(repository: string): Promise<SkeinProcess> {
  return startSkein({
    repository,
    args: ['--backends', '1'],
    env: collectingGarbage,
    readyMs: 120_000,
  });
}

async function useSome({ http }: SkeinProcess): Promise<void> {
  const sender = new Sender(http);
  const body = binaryRequest('', [floatTensor('INPUT0', [1, 16])]);
  const outcomes = [];
  for (let i = 0; i < loaded; i++)
    outcomes.push(await sender.send(forModel(`model_${String(i).padStart(5, '0')}`, body)));
  await sender.close();
  assert.equal(describeFailures(outcomes), '');
}

/** Of the router alone: the least of some looks, between which garbage is collected. */
async function settledPss({ pid }: SkeinProcess): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < 10; look++) {
    await sleep(1_000);
    least = Math.min(least, summedPssBytes([pid]));
  }
  return least;
}
