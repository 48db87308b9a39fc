import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bestFixedHits, lruHits, type TraceShape, zipfTrace } from './traces.ts';
import { type FleetShape, VirtualFleet } from './virtual-fleet.ts';

/**
 * Placement, demand, eviction and the bound on loads together, on a virtual clock: how far they go from a global LRU of
 * as many places (which loads in no time) to the best fixed set (which knows the trace).
 */
const common = { clients: 16, loadMs: 30, runMs: 8, loadLanes: 1, runSlots: 2, linkMs: 1 };
const small: FleetShape = { ...common, backends: 2, places: 17 };
const large: FleetShape = { ...common, backends: 3, places: 100 };

function measure(shape: FleetShape, trace: TraceShape) {
  const models = zipfTrace(trace);
  const figures = new VirtualFleet(shape).replay(models);
  const places = shape.backends * shape.places;
  const lru = lruHits(models, places);
  const best = bestFixedHits(models, places);
  assert.equal(figures.requests, trace.requests, 'every request is answered');
  assert.ok(figures.mostUsedBytes <= shape.places * 14e6, 'the budget is hard');
  return { ...figures, way: (figures.hits - lru) / (best - lru), lruLoads: models.length - lru };
}

function mean(course: readonly number[]): number {
  return course.reduce((sum, part) => sum + part, 0) / course.length;
}

describe('Hit rate of placement, demand and eviction', () => {
  for (const seed of [1, 2, 3]) {
    test(`300 models for 34 places go two thirds of the way from LRU to the best fixed set with fewer loads (seed ${seed})`, (t) => {
      const { way, loads, lruLoads } = measure(small, { models: 300, requests: 30_000, seed });
      t.diagnostic(`way ${way.toFixed(3)}, ${loads} loads, LRU ${lruLoads}`);
      assert.ok(way >= 2 / 3, `only ${way.toFixed(3)} of the way`);
      assert.ok(loads < 0.8 * lruLoads, `${loads} loads, LRU ${lruLoads}`);
    });
  }

  for (const seed of [1, 2]) {
    test(`900 models for 300 places on three backends do as well (seed ${seed})`, (t) => {
      const { way, loads, lruLoads, loadsByBackend } = measure(large, { models: 900, requests: 60_000, seed });
      t.diagnostic(`way ${way.toFixed(3)}, ${loads} loads, LRU ${lruLoads}`);
      assert.ok(way >= 2 / 3, `only ${way.toFixed(3)} of the way`);
      assert.ok(loads < lruLoads, `${loads} loads, LRU ${lruLoads}`);
      assert.ok(Math.min(...loadsByBackend) > 0.25 * loads, `no backend stands still: ${loadsByBackend}`);
    });
  }

  const harder: Readonly<Record<string, Partial<FleetShape>>> = {
    'loads are quicker than runs': { loadMs: 5 },
    'eight loads could run at once': { loadLanes: 8 },
    'the link is slow': { linkMs: 20 },
    'load times differ by chance': { loadSpread: 0.8 },
    'many clients wait': { clients: 64 },
  };
  for (const [when, shape] of Object.entries(harder)) {
    test(`two thirds of the way are gone also where ${when}`, (t) => {
      const { way } = measure({ ...small, ...shape }, { models: 300, requests: 20_000, seed: 4 });
      t.diagnostic(`way ${way.toFixed(3)}`);
      assert.ok(way >= 2 / 3, `only ${way.toFixed(3)} of the way`);
    });
  }

  test('a new hot set is known within 4,000 requests, and later as well as the old one', (t) => {
    const { course } = measure(small, { models: 300, requests: 40_000, seed: 5, shifts: true });
    const before = mean(course.slice(5, 10));
    t.diagnostic(
      `before ${before.toFixed(3)}, after ${course
        .slice(10)
        .map((part) => part.toFixed(3))
        .join(' ')}`,
    );
    // A twentieth is 2,000 requests; a count halves within about 1,100 of the fleet's.
    assert.ok(course[11]! > before - 0.05, 'the second twentieth after the change');
    assert.ok(mean(course.slice(14)) > before - 0.02, 'from the fifth on');
  });
});
