import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ownerOf } from '../../../src/router/scaling/model-owner.ts';

const routers = ['router-1', 'router-2', 'router-3', 'router-4'];
const models = Array.from({ length: 4_000 }, (_, at) => `model-${at}`);

describe('ownerOf', () => {
  test('is the same however the routers are listed, and one of them', () => {
    for (const name of models) {
      const owner = ownerOf(name, routers)!;
      assert.ok(routers.includes(owner));
      assert.equal(ownerOf(name, routers.toReversed()), owner);
    }
    assert.equal(ownerOf('m', []), undefined);
  });

  test('gives each router about as many models, and only those of a router that leaves to others', () => {
    const left = routers.slice(1);
    const counts = new Map<string, number>();
    for (const name of models) {
      const owner = ownerOf(name, routers)!;
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
      const now = ownerOf(name, left);
      assert.ok(owner === routers[0] ? now !== owner : now === owner);
    }
    // Multinomial of 4,000 in 4: four standard deviations are 110.
    for (const count of counts.values()) assert.ok(Math.abs(count - 1_000) < 110, `${[...counts.values()]}`);
  });
});
