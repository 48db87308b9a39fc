/**
 * Three times as many models as there are places: 900 equal ones for 300 places on three backends, asked for by Zipf(1.0).
 * Nothing fails, what stays in memory is better chosen than one least-recently-used cache of the whole fleet would choose
 * it, and the backends share the loads.
 */
import assert from 'node:assert/strict';
import { linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { BackendReport, FleetReport } from '../../src/router/mesh/reports.ts';
import { bestFixedHits, lruHits } from '../../src/simulation/reference-caches.ts';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { fleetOf } from '../fixtures/fleet-client.ts';
import { startFleet, type TestFleet } from '../fixtures/fleet-processes.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { seededRandom, zipf } from '../fixtures/random.ts';
import { sized } from '../fixtures/suite-size.ts';
import { closedLoop, forMs } from '../fixtures/traffic/closed-loop.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { latenciesMs, longestMs, percentile } from '../fixtures/traffic/latency.ts';
import { RouterChoice } from '../fixtures/traffic/router-choice.ts';
import { describeFailures, failuresOf } from '../fixtures/traffic/sender.ts';

const modelCount = 900;
const backends = 3;
const connections = 16;
/** A hundred copies each: most of what is held for one is overhead. */
const memory = '64MiB';
const modelBytes = 2 ** 17;
const learnMs = sized(25_000, 60_000);
const measureMs = sized(25_000, 150_000);
/** The bar, of the way from LRU to the best fixed set. */
const wayToGo = sized(0.4, 2 / 3);
/** The bar, of the most loads of a backend over the least; in half a minute some hundred loads say less. */
const skew = sized(1.7, 1.3);
const body = binaryRequest('', [floatTensor('input', [1, 16])]);

describe(`${modelCount} models on ${backends} backends with places for a third of them`, () => {
  const repository = temporaryDirectory({ after });
  const ends: (() => unknown)[] = [];
  let fleet: TestFleet;
  let models: readonly string[];

  before(async () => {
    models = writeEqualModels(repository, modelCount);
    const shape = { repository, routers: 2, backends, models: modelCount, backendArgs: ['--memory', memory] };
    fleet = await startFleet({ after: (end) => ends.push(end) }, shape);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  test('lose no request, choose better than a least-recently-used cache, and share the loads', async (t) => {
    const routers = new RouterChoice(fleet.routers.map(({ http }) => http));
    t.after(() => routers.close());
    const pick = zipf(modelCount, 1, seededRandom(5));
    const trace: number[] = [];
    const traffic = (durationMs: number) =>
      closedLoop(
        routers,
        connections,
        forMs(durationMs, () => {
          const at = pick();
          trace.push(at);
          return forModel(models[at]!, body);
        }),
      );
    const learning = await traffic(learnMs);
    assert.equal(describeFailures(learning), '');
    const [learnt, earlier] = [trace.length, await seen(fleet)];
    const outcomes = await traffic(measureMs);
    const now = await seen(fleet);

    const requests = trace.length - learnt;
    const places = now.copies;
    const hits = requests - (now.coldRequests - earlier.coldRequests);
    // Of the whole trace, less what it was before: the cache has seen what the fleet has seen.
    const lru = lruHits(trace, () => 1, places) - lruHits(trace.slice(0, learnt), () => 1, places);
    const best = bestFixedHits(trace.slice(learnt), () => 1, places);
    const loads = [...now.loadsOf].map(([id, count]) => count - earlier.loadsOf.get(id)!);
    const way = (hits - lru) / (best - lru);
    showFigures(t, {
      'requests to learn from': learnt,
      requests,
      failed: failuresOf(outcomes).length,
      places,
      'hit rate': hits / requests,
      LRU: lru / requests,
      'best fixed set': best / requests,
      'way from LRU to best': way,
      'loads at each': loads.join('/'),
      'most over least': Math.max(...loads) / Math.min(...loads),
      'loads of LRU': requests - lru,
      'duplicate loads': now.duplicateLoads - earlier.duplicateLoads,
      'p50/p99': `${milliseconds(percentile(latenciesMs(outcomes), 50))}/${milliseconds(percentile(latenciesMs(outcomes), 99))}`,
      longest: milliseconds(longestMs(outcomes)),
    });
    assert.equal(describeFailures(outcomes), '');
    assert.ok(places > 0.9 * (modelCount / 3) && places < 1.1 * (modelCount / 3), `${places} places`);
    assert.ok(way >= wayToGo, 'the hit rate is too near that of LRU');
    assert.ok(Math.max(...loads) <= skew * Math.min(...loads), `loads are skewed: ${loads.join(', ')}`);
  });
});

/** One model under many names: each backend prepares its graph once, so that loads are as cheap as any can be. */
function writeEqualModels(repository: string, count: number): string[] {
  const [first] = writeManyModels(repository, 1, { kind: 'dense', sizeBytes: modelBytes }) as [string];
  const others = Array.from({ length: count - 1 }, (_, i) => `equal_${i}`);
  for (const name of others) {
    mkdirSync(join(repository, name, '1'), { recursive: true });
    linkSync(join(repository, first, '1', 'model.onnx'), join(repository, name, '1', 'model.onnx'));
  }
  return [first, ...others];
}

/** What the routers counted together, and what the backends hold and have loaded. */
async function seen({ routers }: TestFleet) {
  const reports = await Promise.all(routers.map(({ http }) => fleetOf(http)));
  const sum = (of: (report: FleetReport) => number) => reports.reduce((all, one) => all + of(one), 0);
  const held = reports[0]!.backends;
  return {
    coldRequests: sum((report) => report.coldRequests),
    duplicateLoads: sum((report) => report.duplicateLoads),
    copies: held.reduce((all, { copies }) => all + copies, 0),
    loadsOf: new Map(held.map((backend) => [backend.id, loadsOf(backend)])),
  };
}

/** What came is still there, or went for others: nothing else takes a copy away here. */
function loadsOf({ copies, evictions }: BackendReport): number {
  return copies + evictions;
}
