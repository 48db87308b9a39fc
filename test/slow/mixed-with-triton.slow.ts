/** A Triton that runs already, declared beside own backends: one endpoint for the models of both. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { until } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { binaryRequest, floatTensor, forModel, type InferRequest } from '../fixtures/traffic/infer-request.ts';
import { latenciesMs, longestMs, percentile } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { describeFailures, failuresOf, type Outcome, Sender } from '../fixtures/traffic/sender.ts';
import { startTriton, type TritonProcess } from '../fixtures/triton-process.ts';

const perSecond = 40;
/** The bar. */
const noticedWithinMs = 5_000;

const ownRow = binaryRequest('', [floatTensor('input', [1, 16])]);
const itsRow = binaryRequest('identity', [floatTensor('x', [1, 8], (i) => i / 3)]);
const itsImage = binaryRequest('identity', [floatTensor('x', [1, 2 ** 20], (i) => (i % 251) / 7)]);

describe('a Triton beside own backends', () => {
  const repository = temporaryDirectory({ after });
  const settings = temporaryDirectory({ after });
  let triton: TritonProcess;
  let skein: SkeinProcess;
  let own: readonly string[];

  after(async () => {
    await skein?.kill();
    await triton?.kill();
  });
  before(async () => {
    triton = await startTriton();
    own = writeManyModels(repository, 3, { kind: 'dense', sizeBytes: 2 ** 20 });
    const config = join(settings, 'skein.json');
    const models = ['identity', 'words', 'failing', 'slow'];
    writeFileSync(
      config,
      JSON.stringify({ settings: {}, backends: [{ name: 'triton', kind: 'v2', url: triton.http, models }] }),
    );
    skein = await startSkein({ repository, args: ['--config', config] });
  });

  test('has its models listed and described among the others', async () => {
    const index = (await (await fetch(`${skein.http}/v2/repository/index`, { method: 'POST' })).json()) as {
      name: string;
    }[];
    assert.deepEqual(index.map(({ name }) => name).sort(), [
      'failing',
      'identity',
      'model_000',
      'model_001',
      'model_002',
      'slow',
      'words',
    ]);
    const [through, direct] = await Promise.all([skein, triton].map(({ http }) => signatureOf(http, 'words')));
    assert.deepEqual(through, direct);
    // Own models are ready though none is loaded: they load when they are asked for.
    for (const model of ['identity', 'model_000']) {
      assert.equal((await fetch(`${skein.http}/v2/models/${model}/ready`)).status, 200);
    }
  });

  test('gets binary bodies as they are, and its answers come back byte by byte', async () => {
    const words = binaryRequest('words', [
      { name: 'x', datatype: 'BYTES', shape: [3], bytes: bytesTensor(['', 'a\0b', 'ümläut']) },
    ]);
    for (const request of [itsRow, itsImage, words]) {
      const [through, direct] = await Promise.all([skein, triton].map(({ http }) => post(http, request)));
      assert.equal(through!.status, 200);
      assert.equal(through!.headerLength, direct!.headerLength);
      assert.ok(through!.body.equals(direct!.body), `${through!.body.length} bytes differ from ${direct!.body.length}`);
    }
  });

  test('is heard in its own words where a model fails', async () => {
    const request = binaryRequest('failing', [floatTensor('x', [4])]);
    const [through, direct] = await Promise.all([skein, triton].map(({ http }) => post(http, request)));
    assert.ok(through!.status >= 400);
    assert.equal(JSON.parse(through!.body.toString()).error, JSON.parse(direct!.body.toString()).error);
  });

  test('may die: clear errors for its models, none for the others; it is noticed within 5 s when it is back', async (t) => {
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const mine = new OpenLoop(sender, perSecond, (i) => forModel(own[i % own.length]!, ownRow));
    const its = new OpenLoop(sender, perSecond, () => itsRow);
    await sleep(3_000);
    const diedMs = performance.now();
    await triton.kill();
    await sleep(5_000);
    triton = await startTriton({ ports: triton.ports });
    const readyMs = performance.now();
    const answersMs = await until('it is asked again', 30_000, () =>
      its.outcomes.some(({ status, atMs }) => status === 200 && atMs > diedMs + 1_000) ? performance.now() : undefined,
    );
    await sleep(2_000);
    const [mineOutcomes, itsOutcomes] = [await mine.stop(), await its.stop()];
    const refused = failuresOf(itsOutcomes);
    const late = itsOutcomes.filter(({ atMs, status }) => atMs > answersMs + 500 && status !== 200);
    showFigures(t, {
      'own requests': mineOutcomes.length,
      'own failed': failuresOf(mineOutcomes).length,
      'own p99': milliseconds(percentile(latenciesMs(mineOutcomes), 99)),
      'p99 through to Triton': milliseconds(percentile(latenciesMs(itsOutcomes, -Infinity, diedMs), 99)),
      'refused while it was away': refused.length,
      'longest refusal': milliseconds(longestMs(refused)),
      'such as': JSON.stringify(refused[Math.floor(refused.length / 2)]?.problem),
      'asked again after it was ready': milliseconds(answersMs - readyMs),
    });
    assert.equal(describeFailures(mineOutcomes), '');
    for (const outcome of refused) assertClear(outcome);
    assert.ok(
      refused.every(({ atMs, latencyMs }) => atMs + latencyMs >= diedMs),
      'none is refused while it lives',
    );
    assert.ok(longestMs(refused) < noticedWithinMs, `a refusal took ${longestMs(refused)} ms`);
    assert.ok(answersMs - readyMs <= noticedWithinMs, `noticed ${answersMs - readyMs} ms after it was ready`);
    assert.equal(describeFailures(late), '');
  });
});

function assertClear({ status, problem }: Outcome): void {
  assert.equal(status, 503, `${status} ${problem}`);
  const { error } = JSON.parse(problem!) as { error: string };
  assert.match(error, /triton|identity/);
}

async function post(http: string, { path, headers, body }: InferRequest) {
  const answer = await fetch(http + path, { method: 'POST', headers, body: Buffer.from(body) });
  return {
    status: answer.status,
    headerLength: answer.headers.get('inference-header-content-length'),
    body: Buffer.from(await answer.arrayBuffer()),
  };
}

function bytesTensor(words: readonly string[]): Uint8Array {
  return Buffer.concat(
    words.map((word) => {
      const bytes = Buffer.from(word);
      return Buffer.concat([Buffer.from(Uint32Array.of(bytes.length).buffer), bytes]);
    }),
  );
}

async function signatureOf(http: string, model: string): Promise<unknown> {
  const described = (await (await fetch(`${http}/v2/models/${model}`)).json()) as Record<string, unknown>;
  return { inputs: described['inputs'], outputs: described['outputs'] };
}
