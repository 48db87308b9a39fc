/** `skein bench` against a whole server. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeBenchModels } from '../../../examples/models/write-bench-models.ts';
import type { LevelReport } from '../../../src/cli/bench/level-report.ts';
import { writeManyModels } from '../../fixtures/many-models.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { skein } from '../../fixtures/recording-console.ts';
import { type SkeinProcess, startSkein } from '../../fixtures/skein-process.ts';

const quick = ['--window', '200ms', '--warm-up', '100ms', '--max-windows', '3'];

interface BenchJson {
  readonly models: readonly string[];
  readonly body: { readonly kind: string; readonly bytes: number };
  readonly levels: readonly LevelReport[];
}

describe('skein bench', () => {
  const directory = temporaryDirectory({ after });
  let server: SkeinProcess;
  const bench = (...argv: readonly string[]) => skein(['bench', ...argv, '--url', server.http, ...quick]);
  const benchJson = async (...argv: readonly string[]): Promise<BenchJson> => {
    const { status, stdout, stderr } = await bench(...argv, '--json');
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as BenchJson;
  };

  after(() => server?.kill());
  before(async () => {
    const repository = join(directory, 'models');
    writeBenchModels(repository, ['identity']);
    writeManyModels(repository, 5, { kind: 'dense', sizeBytes: 2 ** 12 });
    server = await startSkein({ repository });
  });

  test('measures closed loops, and accounts for the time of a request', async () => {
    const { levels, body } = await benchJson('identity', '--concurrency', '1,4', '--batch', '2');
    assert.deepEqual(body.kind, 'binary');
    assert.deepEqual(
      levels.map(({ load, value }) => [load, value]),
      [
        ['concurrency', 1],
        ['concurrency', 4],
      ],
    );
    for (const level of levels) {
      assert.equal(level.failed, 0);
      assert.ok(level.answered > 0);
      assert.equal(level.inferencesPerSecond, 2 * level.requestsPerSecond);
      const { p50, p90, p99, max } = level.latencyUs;
      assert.ok(p50 > 0 && p50 <= p90 && p90 <= p99 && p99 <= max, JSON.stringify(level.latencyUs));
      assert.ok(level.server !== null && level.server.meanBatch >= 2, 'rows share runs, two by two at least');
      assert.ok(level.server.computeInferUs > 0);
      assert.ok(level.cpuUsPerRequest !== null && level.cpuUsPerRequest > 0, 'the server is on this machine');
    }
  });

  test('measures open loops', async () => {
    const { levels } = await benchJson('identity', '--rate', '200', '--body', 'json');
    assert.equal(levels[0]!.load, 'rate');
    assert.equal(levels[0]!.failed, 0);
    assert.ok(levels[0]!.answered > 0);
  });

  test("measures TensorFlow Serving's Predict over gRPC", async () => {
    const { levels, body } = await benchJson(
      'identity',
      '--body',
      'grpc',
      '--grpc',
      server.grpc!,
      '--concurrency',
      '2',
    );
    assert.equal(body.kind, 'grpc');
    assert.equal(levels[0]!.failed, 0);
    assert.ok(levels[0]!.answered > 0 && levels[0]!.server !== null);
  });

  test('asks many models, the first most often', async () => {
    const { models, levels } = await benchJson('model_*', '--zipf', '2', '--concurrency', '2');
    assert.deepEqual(models, ['model_000', 'model_001', 'model_002', 'model_003', 'model_004']);
    assert.equal(levels[0]!.failed, 0);
    const text = await (await fetch(`${server.metrics}/metrics`)).text();
    const asked = models.map((model) => {
      return Number(
        new RegExp(`^nv_inference_request_success\\{model="${model}",version="1"\\} (\\d+)`, 'm').exec(text)?.[1],
      );
    });
    assert.ok(asked[0]! > 2 * asked[1]! && asked[1]! > asked[4]!, `${asked}`);
  });

  test('prints tables and charts, and writes files', async () => {
    const [csv, chart] = [join(directory, 'levels.csv'), join(directory, 'latency.svg')];
    const { status, stdout, stderr } = await bench('identity', '--concurrency', '2', '--csv', csv, '--chart', chart);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^identity at http:\/\/127.0.0.1:\d+, binary bodies of \d+ B, 1 inference a request\n/);
    assert.match(stdout, /^CONCURRENCY +INFER\/S/m);
    assert.match(stdout, /█/);
    assert.match(stderr, /concurrency 2: .* requests\/s, p50/);
    assert.match(readFileSync(csv, 'utf8'), /^Concurrency,Inferences\/Second,.*\n2,/);
    assert.match(readFileSync(chart, 'utf8'), /^<svg/);
  });

  const refused: readonly [readonly string[], number, RegExp][] = [
    [['identtiy'], 1, /unknown model: 'identtiy' is not found/],
    [['nothing-*'], 2, /no model is called nothing-\*; the server has identity, model_000/],
    [['identity', '--shape', 'input=1,17'], 2, /identity takes \[-1,16\] there/],
    [['identity', '--request', 'absent.json'], 2, /--request: ENOENT/],
    [['identity', '--batch', '9000'], 1, /identity did not answer a first request: 400 .*batch/],
    [['identity', '--csv', '/nowhere/at/all.csv', '--concurrency', '1'], 2, /cannot write \/nowhere\/at\/all.csv/],
  ];
  for (const [argv, wanted, reason] of refused) {
    test(`refuses ${argv.join(' ')}`, async () => {
      const { status, stderr } = await bench(...argv);
      assert.match(stderr, reason);
      assert.equal(status, wanted);
    });
  }

  test('says what a gRPC server says', async () => {
    const { status, stderr } = await bench('identity', '--body', 'grpc', '--grpc', server.http);
    assert.equal(status, 1);
    assert.match(stderr, /identity did not answer a first request: /);
  });

  test('says when the server is away', async () => {
    const { status, stderr } = await skein(['bench', 'identity', '--url', 'http://127.0.0.1:1']);
    assert.equal(status, 3);
    assert.match(stderr, /no server answers at http:\/\/127.0.0.1:1/);
  });
});
