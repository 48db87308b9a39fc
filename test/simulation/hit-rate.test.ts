import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FleetShape } from '../../src/simulation/fleet-shape.ts';
import { simulate } from '../../src/simulation/simulation.ts';
import { type ZipfShape, zipfTrace } from '../../src/simulation/traces/zipf-trace.ts';
import { fleetShape } from './shapes.ts';

/**
 * Placement, demand, eviction, copies and the bound on loads together, on a virtual clock: how far they go from a global
 * LRU of as many places (which loads in no time) to the best fixed set (which knows the trace).
 */
const common = fleetShape({ clients: 16 });
const small: FleetShape = { ...common, nodes: 2, places: 17 };

function measure(shape: FleetShape, trace: Pick<ZipfShape, 'models' | 'requests' | 'seed' | 'shifts'>) {
  const figures = simulate({ ...shape, seed: trace.seed }, zipfTrace({ perSecond: 1_000, exponent: 1, ...trace }));
  assert.deepEqual([figures.answered, figures.refused], [trace.requests, 0], 'every request is answered');
  assert.ok(figures.mostUsedBytes <= (shape.places + 0.5) * shape.meanBytes, 'the budget is hard');
  const { way, lru } = figures.references;
  return { ...figures, way, loads: figures.loads.request, lruLoads: (1 - lru) * trace.requests };
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
    test(`900 models for 300 places on three backends do as well, their loads within 1.3 x of each other (seed ${seed})`, (t) => {
      const { way, loads, lruLoads, loadsByNode } = measure(common, { models: 900, requests: 60_000, seed });
      t.diagnostic(`way ${way.toFixed(3)}, ${loads} loads, LRU ${lruLoads}, by node ${JSON.stringify(loadsByNode)}`);
      assert.ok(way >= 2 / 3, `only ${way.toFixed(3)} of the way`);
      assert.ok(loads < lruLoads, `${loads} loads, LRU ${lruLoads}`);
      assert.ok(loadsByNode.max <= 1.3 * loadsByNode.min, JSON.stringify(loadsByNode));
    });
  }

  test('three routers do as well as one, whose views are a quarter of a second apart', (t) => {
    const shape = { ...common, routers: 3, skewMs: 250 };
    const { way, loads, duplicateLoads } = measure(shape, { models: 900, requests: 60_000, seed: 3 });
    t.diagnostic(`way ${way.toFixed(3)}, ${duplicateLoads} of ${loads} loads duplicate`);
    assert.ok(way >= 2 / 3, `only ${way.toFixed(3)} of the way`);
  });

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
    assert.ok(course[11]! > before - 0.06, 'the second twentieth after the change');
    assert.ok(mean(course.slice(14)) > before - 0.02, 'from the fifth on');
  });
});
