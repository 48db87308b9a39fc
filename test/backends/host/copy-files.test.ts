import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { CopyKeeper } from '../../../src/backends/host/copy-keeper.ts';
import { CopyStatistics } from '../../../src/backends/host/copy-statistics.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import type { CopySpec } from '../../../src/protocol/link/messages.ts';
import { until } from '../../adapters/until.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { type ServedModels, serveModels } from '../../fleet/sources/served-models.ts';
import { FakeEngine } from './fake-engine.ts';

const mebibyte = 2 ** 20;

interface Fetching {
  readonly served: ServedModels;
  readonly keeper: CopyKeeper;
  readonly engine: FakeEngine;
  /** Tells the engine of a model, and puts its file on the server alone. */
  add(name: string, failure?: SkeinError): CopySpec;
}

async function fetching(
  t: TestContext,
  options: { readonly loads?: number; readonly isOff?: boolean } = {},
): Promise<Fetching> {
  const served = await serveModels(t);
  const engine = new FakeEngine(temporaryDirectory(t));
  const keeper = new CopyKeeper({
    engine,
    budgetBytes: 100 * mebibyte,
    ceilingBytes: 100 * mebibyte,
    loads: options.loads ?? 2,
    cores: 4,
    threads: 1,
    threadsAreGiven: false,
    defaultMaxBatchSize: 8,
    defaultMaxQueueSize: 100,
    warn: () => {},
    statisticsOf: (model, version) => new CopyStatistics(model, version),
    onChange: () => {},
    trace: () => {},
    ...(options.isOff !== true && { fetcher: await served.open() }),
  });
  const add = (name: string, failure?: SkeinError) => {
    const spec = engine.add(name, { bytes: 1_000 + name.length, ...(failure !== undefined && { failure }) });
    const file = readFileSync(join(spec.directory, '1', 'model.onnx'));
    return { ...spec, directory: name, source: served.add(name, { '1/model.onnx': file }) };
  };
  return { served, keeper, engine, add };
}

describe('CopyKeeper with sources', () => {
  test('fetches what it loads, keeps the files while the copy is there, and gives them up with it', async (t) => {
    const { served, keeper, engine, add } = await fetching(t);
    const held = await keeper.load(add('a'));
    assert.deepEqual(engine.begun, ['a']);
    const models = join(served.cacheDir, 'models');
    assert.equal(readdirSync(models).length, 1);
    await keeper.unload(held.id);
    await until('nothing is laid out', () => readdirSync(models).length === 0);
  });

  test('takes neither memory nor a place among the loads while it fetches, and tells how far it is', async (t) => {
    const { served, keeper, engine, add } = await fetching(t, { loads: 1 });
    const slow = add('slow');
    let answer = () => {};
    served.server.misbehave = (request, response) => {
      if (request.url !== '/slow/1/model.onnx') return false;
      response.writeHead(200, { 'content-length': 1_004 }).write(Buffer.alloc(250));
      answer = () => response.end(Buffer.alloc(754));
      return true;
    };
    const loading = keeper.load(slow);
    await until('a part is here', () => [...keeper.copies][0]?.fetching?.doneBytes === 250);
    const [copy] = keeper.copies;
    assert.deepEqual(
      [copy!.facts(0).phase, copy!.facts(0).fetching],
      ['loading', { doneBytes: 250, totalBytes: 1_004 }],
    );
    assert.equal(keeper.memory.usedBytes, 0);
    await keeper.load(add('quick'));
    answer();
    await loading;
    assert.deepEqual([engine.begun, copy!.fetching], [['quick', 'slow'], undefined]);
  });

  test('says why files could not be had, and has nothing left of it', async (t) => {
    const { served, keeper, engine, add } = await fetching(t);
    const spec = add('a');
    served.server.files.delete('/a/1/model.onnx');
    await assert.rejects(keeper.load(spec), { code: 'source_not_found', message: /a\/1\/model\.onnx is not there/ });
    assert.deepEqual([engine.begun, keeper.memory.usedBytes], [[], 0]);
  });

  test('leaves no files laid out after a load that failed', async (t) => {
    const { served, keeper, add } = await fetching(t);
    const failure = new SkeinError('load_failed', { model: 'a', version: 1, reason: 'broken' });
    await assert.rejects(keeper.load(add('a', failure)), { code: 'load_failed' });
    await until('nothing is laid out', () => readdirSync(join(served.cacheDir, 'models')).length === 0);
    assert.ok(existsSync(join(served.cacheDir, 'files')));
  });

  test('fetches nothing where that is not set up', async (t) => {
    const { add } = await fetching(t);
    const { keeper } = await fetching(t, { isOff: true });
    await assert.rejects(keeper.load(add('a')), { code: 'sources_off' });
  });
});
