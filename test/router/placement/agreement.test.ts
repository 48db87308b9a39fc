/** Routers that never talk to each other: do they name the same backend? Counts of place itself, on 100,000 models. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { place } from '../../../src/router/placement/place.ts';
import type { PlacementBackend } from '../../../src/router/placement/snapshot.ts';
import { seededRandom, shuffle } from '../../../src/simulation/seeded-random.ts';
import { backend, model } from './fleets.ts';

const random = seededRandom(1);
const roomy = Array.from({ length: 6 }, (_, at) =>
  backend(`b${at}`, { usableBytes: 1e6 * (1 + (at % 3)), usedBytes: 3e5 * random(), assignedDemand: 100 * random() }),
);
const full = roomy.map((one) => ({ ...one, usedBytes: one.usableBytes, evictionPrice: 0.5 + random() }));

const chosen = (fleet: readonly PlacementBackend[], name: string) =>
  place(fleet, { model: model(name), copies: [] }).candidates[0]?.backendId;

describe('place in four routers', () => {
  for (const [regime, fleet] of Object.entries({ 'with room': roomy, 'that is full': full })) {
    test(`agrees on all of 100,000 models in a fleet ${regime}, whatever order each lists it in`, () => {
      const routers = [1, 2, 3].map((seed) => shuffle([...fleet], seededRandom(seed)));
      for (let at = 0; at < 100_000; at++) {
        const name = `team/model-${at}`;
        const wanted = chosen(fleet, name);
        for (const router of routers) if (chosen(router, name) !== wanted) assert.fail(`${name} at ${wanted}`);
      }
    });
  }
});
