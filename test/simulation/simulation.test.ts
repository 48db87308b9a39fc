/** Whole fleets on a virtual clock, with the code that decides in earnest. Counts, no times of this machine. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { simulate } from '../../src/simulation/simulation.ts';
import { type Burst, ranking, zipfTrace } from '../../src/simulation/traces/zipf-trace.ts';
import { fleetShape } from './shapes.ts';

const zipf = { models: 300, requests: 30_000, perSecond: 300, exponent: 1, seed: 1 };

describe('simulate', () => {
  test('gives the same figures for the same seed, and others for another', () => {
    const shape = fleetShape({ routers: 3, skewMs: 300, places: 40, events: [{ kind: 'kill', atMs: 5_000 }] });
    const trace = { ...zipf, requests: 4_000 };
    const figures = simulate(shape, zipfTrace(trace));
    assert.deepEqual(simulate(shape, zipfTrace(trace)), figures);
    assert.notDeepEqual(simulate({ ...shape, seed: 2 }, zipfTrace({ ...trace, seed: 2 })), figures);
  });

  test('answers or refuses every request once, within the memory, whatever comes and goes', () => {
    const events = fc.array(
      fc.record({ kind: fc.constantFrom('join' as const, 'drain' as const), atMs: fc.nat(8_000) }),
      { maxLength: 3 },
    );
    const shapes = fc.record({
      nodes: fc.integer({ min: 4, max: 6 }),
      routers: fc.integer({ min: 1, max: 4 }),
      places: fc.integer({ min: 3, max: 40 }),
      sizeSpread: fc.constantFrom(0, 0.5),
      skewMs: fc.constantFrom(0, 500),
      clients: fc.constantFrom(0, 8),
      loadMs: fc.constantFrom(5, 200),
      seed: fc.nat(1_000),
      events,
    });
    fc.assert(
      fc.property(shapes, (changes) => {
        const shape = fleetShape(changes);
        const trace = zipfTrace({ ...zipf, models: 60, requests: 1_500, seed: changes.seed });
        const figures = simulate(shape, trace);
        assert.equal(figures.answered + figures.refused, 1_500);
        assert.equal(figures.requests, 1_500);
        assert.ok(figures.mostUsedBytes <= (shape.places + 0.5) * shape.meanBytes);
      }),
      { numRuns: 25 },
    );
  });

  for (const seed of [1, 2, 3]) {
    test(`four routers whose views are 500 ms apart load less than one in a hundred twice, in churn (seed ${seed})`, (t) => {
      const events = [
        { kind: 'kill' as const, atMs: 20_000 },
        { kind: 'join' as const, atMs: 40_000 },
        { kind: 'drain' as const, atMs: 60_000 },
      ];
      const shape = fleetShape({ nodes: 12, places: 40, routers: 4, skewMs: 500, events, seed });
      const trace = zipfTrace({ models: 1_200, requests: 40_000, perSecond: 500, exponent: 1, seed });
      const { loads, duplicateLoads, refused, trims } = simulate(shape, trace);
      t.diagnostic(`${duplicateLoads} of ${loads.request} loads, ${trims} trimmed`);
      assert.equal(refused, 0);
      assert.ok(duplicateLoads < 0.01 * loads.request, `${duplicateLoads} of ${loads.request}`);
    });
  }

  test('a drain moves what the node held and no more, and no request waits for a load', (t) => {
    const shape = fleetShape({ nodes: 4, places: 150, routers: 3, skewMs: 100, warmMs: 40_000 });
    const drained = simulate({ ...shape, events: [{ kind: 'drain', atMs: 45_000 }] }, zipfTrace(zipf));
    const calm = simulate(shape, zipfTrace(zipf));
    const [event] = drained.events;
    t.diagnostic(`${event!.moves} moves of ${event!.copies} copies in ${event!.tookMs.toFixed(0)} ms`);
    assert.ok(event!.moves <= 1.1 * event!.copies && event!.moves >= 0.9 * event!.copies);
    assert.equal(drained.refused, 0);
    const cold = (figures: typeof calm) => Math.round((1 - figures.hitRate) * figures.requests);
    assert.ok(cold(drained) <= cold(calm), `${cold(drained)} cold requests, ${cold(calm)} without the drain`);
  });

  test('a newcomer gets its share in no more than 1.3 times as many moves within 15 s, and no request waits', (t) => {
    const shape = fleetShape({ nodes: 3, places: 150, routers: 3, skewMs: 100, warmMs: 40_000 });
    const joined = simulate({ ...shape, events: [{ kind: 'join', atMs: 45_000 }] }, zipfTrace(zipf));
    const calm = simulate(shape, zipfTrace(zipf));
    const [event] = joined.events;
    t.diagnostic(`${event!.moves} moves, ${event!.copies} are fair, in ${event!.tookMs.toFixed(0)} ms`);
    assert.ok(event!.moves <= 1.3 * event!.copies && event!.moves >= 0.9 * event!.copies);
    assert.ok(event!.tookMs < 15_000);
    const cold = (figures: typeof calm) => Math.round((1 - figures.hitRate) * figures.requests);
    assert.ok(cold(joined) <= cold(calm) + 1, `${cold(joined)} cold requests, ${cold(calm)} without the join`);
  });

  test('a node that is killed costs loads, not answers', () => {
    const shape = fleetShape({
      nodes: 4,
      places: 120,
      routers: 3,
      events: [{ kind: 'kill', atMs: 50_000, node: 'b2' }],
    });
    const { refused, answered, events, loads } = simulate(shape, zipfTrace(zipf));
    assert.deepEqual([refused, answered], [0, zipf.requests]);
    assert.equal(events[0]!.node, 'b2');
    const calm = simulate({ ...shape, events: [] }, zipfTrace(zipf));
    assert.ok(loads.request > calm.loads.request && loads.request <= calm.loads.request + events[0]!.copies);
  });

  test('a ten-fold burst gets a second copy within two seconds', (t) => {
    const model = ranking(zipf)[3]!;
    const usual = 300 / 4 / 6.28;
    const burst: Burst = { model, atMs: 60_000, forMs: 10_000, perSecond: 14 * usual };
    const shape = fleetShape({ nodes: 3, places: 150, runSlots: 1, runMs: 5, warmMs: 60_000 });
    const fixed = simulate({ ...shape, scales: false }, zipfTrace(zipf, [burst]));
    const scaled = simulate(shape, zipfTrace(zipf, [burst]));
    t.diagnostic(`99.9 % within ${scaled.latency.p999.toFixed(0)} ms, ${fixed.latency.p999.toFixed(0)} with one copy`);
    assert.ok(scaled.loads.scale >= 1);
    assert.ok(scaled.latency.max < 2_000 && scaled.latency.max < fixed.latency.max / 2);
  });
});
