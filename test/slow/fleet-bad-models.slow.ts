/** Models that cannot be loaded in a fleet: each is named in the log, the metrics and `skein ps`, and nothing else is affected. */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { showFigures } from '../fixtures/figures.ts';
import { fleetOf, load, until } from '../fixtures/fleet-client.ts';
import { startFleet, type TestFleet, untilFleet } from '../fixtures/fleet-processes.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';

const good = 3;
/** Of the backend; what is too large for it is twice as large. */
const budget = '96MiB';
const largeBytes = 2 ** 27;

interface Started {
  readonly fleet: TestFleet;
  readonly store: string;
  readonly models: readonly string[];
  /** Registers a model whose files are in the store, and asks for it: status and text of the answer. */
  ask(name: string, file: string, sha256?: string): Promise<{ status: number; text: string; tookMs: number }>;
}

async function start(t: TestContext, backendArgs: readonly string[] = []): Promise<Started> {
  const repository = temporaryDirectory(t);
  const store = temporaryDirectory(t);
  const models = writeManyModels(repository, good, { kind: 'dense', sizeBytes: 2 ** 16 });
  const fleet = await startFleet(t, {
    ...{ repository, routers: 2, backends: 1, models: good },
    backendArgs: ['--source-allow', `file://${store}`, '--memory', budget, ...backendArgs],
  });
  const { http } = fleet.routers[0]!;
  return {
    ...{ fleet, store, models },
    ask: async (name, file, sha256 = digestOf(file)) => {
      const source = { url: `file://${file}`, sha256 };
      const entry = await fetch(`${http}/fleet/models/${name}`, { method: 'POST', body: JSON.stringify({ source }) });
      assert.equal(entry.status, 200, await entry.text());
      await until('known', 5_000, async () => ((await fetch(`${http}/fleet/models/${name}`)).ok ? true : undefined));
      const atMs = performance.now();
      const answer = await fetch(`${http}/v2/models/${name}/infer`, { method: 'POST', body: '{"inputs":[]}' });
      return { status: answer.status, text: await answer.text(), tookMs: performance.now() - atMs };
    },
  };
}

/** What is said of it: in the first router's log and metrics, and by `skein ps` at the other one, too. */
async function assertTold(t: TestContext, { fleet, models }: Started, name: string, code: string, why: RegExp) {
  const [first, second] = fleet.routers as [TestFleet['routers'][0], TestFleet['routers'][0]];
  const line = first
    .log()
    .split('\n')
    .find((one) => one.includes('a model does not load') && one.includes(`"${name}"`));
  assert.match(line ?? '', why);
  assert.match(line ?? '', /"level":"warn"/);
  const metrics = await (await fetch(`${first.metrics}/metrics`)).text();
  assert.match(metrics, new RegExp(`skein_load_failures_total\\{code="${code}"\\} [1-9]`));
  for (const { http } of [first, second]) {
    const row = (await ps(http)).split('\n').find((one) => one.startsWith(name)) ?? '';
    assert.match(row, why);
    showFigures(t, { ps: row });
  }
  for (const model of models) await load(first.http, model);
  assert.equal((await fleetOf(first.http)).backends[0]?.state, 'up');
}

describe('a model of a fleet', () => {
  test('whose digest is another one is refused', async (t) => {
    const started = await start(t);
    const [model] = writeManyModels(started.store, 1, { kind: 'dense', sizeBytes: 2 ** 16 }, 'stored_');
    const { status, text } = await started.ask('tampered', fileOf(started.store, model!), '0'.repeat(64));
    assert.equal(status, 404);
    assert.match(text, /has SHA-256 .* the catalogue says 0000/);
    await assertTold(t, started, 'tampered', 'digest_mismatch', /has SHA-256 .* the catalogue says 0000/);
  });

  test('that is too large for any backend is refused at once', async (t) => {
    const started = await start(t);
    const [model] = writeManyModels(started.store, 1, { kind: 'dense', sizeBytes: largeBytes }, 'huge_');
    const { status, text, tookMs } = await started.ask('huge', fileOf(started.store, model!));
    showFigures(t, { tookMs });
    assert.equal(status, 503);
    assert.match(text, /more than the whole budget of this backend, 100663296/);
    assert.ok(tookMs < 10_000, `${tookMs} ms`);
    await assertTold(t, started, 'huge', 'model_too_large', /more than the whole budget/);
  });

  test('that no disk has room for is refused, and its source is not asked without end', async (t) => {
    const disk = smallDisk(t);
    if (disk === undefined) return t.skip('a tmpfs may not be mounted here');
    const started = await start(t, ['--state', disk]);
    const [model] = writeManyModels(started.store, 1, { kind: 'dense', sizeBytes: 2 ** 20 }, 'stored_');
    const { status, text, tookMs } = await started.ask('bulky', fileOf(started.store, model!));
    showFigures(t, { tookMs });
    assert.equal(status, 503);
    assert.match(text, /the disk does not take a model's file: ENOSPC/);
    await assertTold(t, started, 'bulky', 'source_disk', /ENOSPC/);
    const { loadFailuresByCode } = await fleetOf(started.fleet.routers[0]!.http);
    assert.ok(loadFailuresByCode['source_disk']! < 10, JSON.stringify(loadFailuresByCode));
    await untilFleet(started.fleet.routers[1]!.http, 1, good + 1);
  });
});

async function ps(http: string): Promise<string> {
  const skein = join(import.meta.dirname, '../../skein');
  return (await promisify(execFile)(process.execPath, [skein, 'ps', '--url', http])).stdout;
}

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function fileOf(store: string, model: string): string {
  return join(store, model, '1', 'model.onnx');
}

/** A file system of half a megabyte; undefined where it takes rights that this user does not have. */
function smallDisk(t: TestContext): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'skein-small-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', path]);
  t.after(() => {
    if (status === 0) execFileSync('umount', ['--lazy', path]);
    rmdirSync(path);
  });
  return status === 0 ? path : undefined;
}
