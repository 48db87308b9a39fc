/** `instance_group` as its user wrote it: so many requests of one model run at once, the next one waits its turn. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ModelStatistics } from '../../src/protocol/v2/statistics.ts';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { load } from '../fixtures/fleet-client.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { writeSlowModel } from '../fixtures/slow-models.ts';
import { binaryRequest, floatTensor } from '../fixtures/traffic/infer-request.ts';
import { Sender } from '../fixtures/traffic/sender.ts';

/** Of one run that has a core to itself: long, so that what else the machine does is small beside it. */
const runMs = 400;

describe('a model of which the configuration asks for three instances', () => {
  let skein: SkeinProcess;
  let sender: Sender;

  const repository = temporaryDirectory({ after });
  before(async () => {
    writeSlowModel(repository, 'three', runMs, { maxBatchSize: 1, instances: 3 });
    skein = await startSkein({ repository, args: ['--backends', '1'] });
    sender = new Sender(skein.http);
    await load(skein.http, 'three');
  });
  after(async () => {
    await sender?.close();
    await skein?.kill();
  });

  test('runs three of four requests at once, and the fourth when one of them is done', async (t) => {
    const request = binaryRequest('three', [floatTensor('x', [1, 1])]);
    const alone = await sender.send(request);
    const before = await statisticsOf(skein, 'three');
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => sender.send(request)));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    const after = await statisticsOf(skein, 'three');

    const [first, second, third, fourth] = outcomes.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b) as [
      number,
      number,
      number,
      number,
    ];
    const runs = after.execution_count - before.execution_count;
    const queuedMs = (after.inference_stats.queue.ns - before.inference_stats.queue.ns) / 1e6;
    const inferMs = (after.inference_stats.compute_infer.ns - before.inference_stats.compute_infer.ns) / 1e6;
    showFigures(t, {
      alone: milliseconds(alone.latencyMs),
      'four at once': [first, second, third, fourth].map(Math.round).join('/'),
      runs,
      'queued in all': milliseconds(queuedMs),
      'run in all': milliseconds(inferMs),
    });
    assert.equal(runs, 4);
    // Only the fourth waited, until the quickest of the first three was done. With two at once, two would have waited.
    assert.ok(
      queuedMs > 0.9 * first && queuedMs < 1.3 * first,
      `queued for ${queuedMs} ms, the first answer took ${first} ms`,
    );
  });
});

async function statisticsOf({ http }: SkeinProcess, model: string): Promise<ModelStatistics> {
  const answer = (await (await fetch(`${http}/v2/models/${model}/stats`)).json()) as { model_stats: ModelStatistics[] };
  return answer.model_stats[0]!;
}
