/** A request for a model that is not loaded, but was before: what it waits beside the load and the run themselves. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import { writeBenchModels } from '../../examples/models/write-bench-models.ts';
import { mebibytes, milliseconds, showFigures } from '../fixtures/figures.ts';
import { fleetOf, load, modelOf } from '../fixtures/fleet-client.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { startSkein } from '../fixtures/skein-process.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { percentile } from '../fixtures/traffic/latency.ts';
import { describeFailures, type Outcome, Sender } from '../fixtures/traffic/sender.ts';

const samples = sized(12, 60);
/** The bar. */
const aboveRawMs = 50;
const threads = 2;

interface RawTimes {
  readonly loadMs: number;
  readonly runMs: number;
}

describe('ResNet-50 from the cache', () => {
  test(`answers a held request at most ${aboveRawMs} ms after a raw load and run`, async (t) => {
    const repository = temporaryDirectory(t);
    writeBenchModels(repository, ['resnet50']);
    const file = join(repository, 'resnet50', '1', 'model.onnx');
    // The same bytes under a second name: one graph in the cache, and each evicts the other.
    cpSync(join(repository, 'resnet50', '1'), join(repository, 'second', '1'), { recursive: true });
    const config = readFileSync(join(repository, 'resnet50', 'config.pbtxt'), 'utf8');
    writeFileSync(join(repository, 'second', 'config.pbtxt'), config.replace('"resnet50"', '"second"'));
    const state = temporaryDirectory(t);
    const args = ['--backends', '1', '--memory', '180MiB', '--state', state, '--threads', String(threads)];
    const skein = await startSkein({ repository, args });
    t.after(() => skein.kill());
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const image = binaryRequest('', [floatTensor('input', [1, 3, 224, 224], (i) => (i % 255) / 255)]);
    for (const model of ['resnet50', 'second']) await load(skein.http, model);
    const raw = startRaw(t, file, join(state, 'graphs'));
    await raw();

    const { loads: loadsBefore } = await fleetOf(skein.http);
    const rawTimes: RawTimes[] = [];
    const held: Outcome[] = [];
    for (let i = 0; i < samples; i++) {
      rawTimes.push(await raw());
      held.push(await sender.send(forModel(i % 2 === 0 ? 'resnet50' : 'second', image)));
    }
    const { loads } = await fleetOf(skein.http);
    const { residentBytes } =
      (await modelOf(skein.http, 'resnet50')).copies[0] ?? (await modelOf(skein.http, 'second')).copies[0]!;

    const rawMs = percentile(
      rawTimes.map(({ loadMs, runMs }) => loadMs + runMs),
      50,
    );
    const heldMs = percentile(
      held.map(({ latencyMs }) => latencyMs),
      50,
    );
    showFigures(t, {
      samples,
      'raw load': milliseconds(
        percentile(
          rawTimes.map(({ loadMs }) => loadMs),
          50,
        ),
      ),
      'raw run': milliseconds(
        percentile(
          rawTimes.map(({ runMs }) => runMs),
          50,
        ),
      ),
      'raw load and run': milliseconds(rawMs),
      'held request': milliseconds(heldMs),
      'above raw': milliseconds(heldMs - rawMs),
      'one copy': mebibytes(residentBytes),
    });
    assert.equal(describeFailures(held), '');
    assert.equal(loads - loadsBefore, samples, 'every request has its model loaded');
    assert.ok(heldMs <= rawMs + aboveRawMs, `${heldMs - rawMs} ms above a raw load and run`);
  });
});

/** A process without a server; each call loads and runs the model once in it. */
function startRaw(t: TestContext, file: string, cache: string): () => Promise<RawTimes> {
  const program = join(import.meta.dirname, 'cold-start', 'raw-load.ts');
  const child = spawn(process.execPath, [program, file, cache, String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  const lines = createInterface({ input: child.stdout });
  return async () => {
    const answered = once(lines, 'line');
    child.stdin.write('\n');
    return JSON.parse((await answered)[0] as string) as RawTimes;
  };
}
