import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type FleetPicture, type Move, type PlannedModel, plan } from '../../../src/router/placement/plan.ts';
import { planRebalance } from '../../../src/router/placement/rebalance.ts';
import { preferenceOrder } from '../../../src/router/placement/rendezvous.ts';
import type { PlacementBackend } from '../../../src/router/placement/snapshot.ts';
import { ownerOf } from '../../../src/router/scaling/model-owner.ts';
import { seededRandom } from '../../../src/simulation/seeded-random.ts';
import { backend, model } from './fleets.ts';

interface Shape {
  readonly backends: number;
  readonly models: number;
  readonly bytes: (at: number) => number;
  /** Of the model of this rank. */
  readonly demand: (rank: number) => number;
  readonly usableBytes: (at: number) => number;
  readonly seed: number;
}

/** A settled fleet: every model where it prefers to be, and every backend's figures by what it holds. */
function settled({ backends, models, bytes, demand, usableBytes, seed }: Shape): FleetPicture {
  const members = Array.from({ length: backends }, (_, at) => ({ id: `b${at}`, usableBytes: usableBytes(at) }));
  const random = seededRandom(seed);
  const known = Array.from({ length: models }, (_, at): PlannedModel => {
    const name = `model-${at}`;
    const home = preferenceOrder(name, members)[0]!.id;
    const rank = 1 + Math.floor(random() * models);
    return {
      ...model(name, { expectedBytes: bytes(at), demand: demand(rank) * bytes(at) }),
      loadMs: 10 + (at % 7),
      copies: [{ backendId: home, state: 'ready' }],
    };
  });
  return measured(members, known);
}

function measured(
  members: readonly { id: string; usableBytes: number }[],
  models: readonly PlannedModel[],
): FleetPicture {
  const backends = members.map(({ id, usableBytes }) => {
    const held = models.filter(({ copies }) => copies.some(({ backendId }) => backendId === id));
    const usedBytes = held.reduce((sum, { expectedBytes }) => sum + expectedBytes, 0);
    const assignedDemand = held.reduce((sum, one) => sum + one.demand, 0);
    return backend(id, { usableBytes, usedBytes, assignedDemand });
  });
  return { backends, models };
}

function joined({ backends, models }: FleetPicture, ...newcomers: PlacementBackend[]): FleetPicture {
  return { backends: [...backends, ...newcomers], models };
}

function applied({ backends, models }: FleetPicture, moves: readonly Move[]): FleetPicture {
  const to = new Map(moves.map((move) => [move.model, move]));
  const after = models.map((one): PlannedModel => {
    const move = to.get(one.name);
    if (move === undefined) return one;
    const others = one.copies.filter(({ backendId }) => backendId !== move.from);
    assert.equal(others.length, one.copies.length - 1, `${one.name} leaves ${move.from}, where it is`);
    return { ...one, copies: [...others, { backendId: move.to, state: 'ready' }] };
  });
  return measured(backends, after);
}

const equal: Shape = {
  backends: 3,
  models: 300,
  bytes: () => 10,
  demand: (rank) => 1 / rank,
  usableBytes: () => 2_000,
  seed: 1,
};
const shapes = fc.record({
  backends: fc.integer({ min: 1, max: 12 }),
  models: fc.integer({ min: 0, max: 400 }),
  size: fc.integer({ min: 1, max: 50 }),
  grows: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(),
});

describe('planRebalance', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    test(`gives the fourth of four backends a quarter of the copies and of the load, in as many moves (seed ${seed})`, (t) => {
      const before = settled({ ...equal, seed });
      const picture = joined(before, backend('b3', { usableBytes: 2_000 }));
      const moves = planRebalance(picture);
      assert.ok(moves.length <= 75 && moves.length >= 73, `${moves.length} moves`);
      const after = applied(picture, moves);
      const total = after.backends.reduce((sum, { assignedDemand }) => sum + assignedDemand, 0);
      const share = after.backends[3]!.assignedDemand / total;
      t.diagnostic(`${moves.length} moves, ${(100 * share).toFixed(1)} % of the load`);
      assert.ok(share > 0.2 && share < 0.3, `${share} of the load`);
    });
  }

  test('moves no more than the newcomer lacks, each model once, from those above the average, and comes to rest', () => {
    fc.assert(
      fc.property(shapes, ({ size, grows, seed, backends, models }) => {
        const bytes = (at: number) => size + (at % grows);
        const usableBytes = (at: number) => (1 + (at % 3)) * (models * (size + grows) + 10);
        const before = settled({ ...equal, backends, models, bytes, usableBytes, seed });
        const newcomer = backend('new', { usableBytes: usableBytes(1) });
        const picture = joined(before, newcomer);
        const moves = planRebalance(picture);
        assert.equal(new Set(moves.map((move) => move.model)).size, moves.length);
        const used = picture.backends.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
        const usable = picture.backends.reduce((sum, one) => sum + one.usableBytes, 0);
        for (const one of picture.backends) {
          const come = moves.filter(({ to }) => to === one.id).reduce((sum, move) => sum + move.bytes, 0);
          const fair = (used / usable) * one.usableBytes;
          assert.ok(come === 0 || one.usedBytes + come <= fair + size + grows, `${one.usedBytes} + ${come} of ${fair}`);
          const gone = moves.filter(({ from }) => from === one.id).reduce((sum, move) => sum + move.bytes, 0);
          assert.ok(
            gone === 0 || one.usedBytes - gone >= fair - 2 * (size + grows),
            `${one.usedBytes} - ${gone} of ${fair}`,
          );
        }
        const fair = (used / usable) * newcomer.usableBytes;
        if (fair >= 4 * (size + grows)) assert.ok(moves.some(({ to }) => to === 'new'));
        assert.deepEqual(planRebalance(applied(picture, moves)), []);
      }),
      { numRuns: 100 },
    );
  });

  test('plans alike in whatever order things are listed, and cheapest first', () => {
    const picture = joined(settled({ ...equal, backends: 5 }), backend('b5', { usableBytes: 2_000 }));
    const moves = planRebalance(picture);
    const turned = { backends: picture.backends.toReversed(), models: picture.models.toReversed() };
    assert.deepEqual(planRebalance(turned), moves);
    const costs = moves.map(({ loadMs }) => loadMs);
    assert.deepEqual(
      costs,
      costs.toSorted((a, b) => a - b),
    );
  });

  for (const routers of [2, 3, 10]) {
    test(`${routers} routers that know different demands move no more together than one would`, () => {
      const picture = joined(settled(equal), backend('b3', { usableBytes: 2_000 }));
      const whole = planRebalance(picture).length;
      const owners = Array.from({ length: routers }, (_, at) => `r${at}`);
      const random = seededRandom(9);
      const moves = owners.flatMap((router, position) => {
        const seen = picture.models.map((one) => ({ ...one, demand: one.demand * (0.5 + random()) }));
        const isOurs = (name: string) => ownerOf(name, owners) === router;
        return planRebalance({ ...picture, models: seen }, { isOurs, position, routers });
      });
      assert.equal(new Set(moves.map((move) => move.model)).size, moves.length);
      assert.ok(Math.abs(moves.length - whole) <= 0.05 * whole + 1, `${moves.length} of ${whole}`);
    });
  }

  test('hands a few copies over though each of many routers is due less than one', () => {
    const picture = joined(settled({ ...equal, models: 16 }), backend('b3', { usableBytes: 2_000 }));
    const owners = Array.from({ length: 10 }, (_, at) => `r${at}`);
    const moves = owners.flatMap((router, position) =>
      planRebalance(picture, { isOurs: (name) => ownerOf(name, owners) === router, position, routers: 10 }),
    );
    assert.ok(moves.length >= 2 && moves.length <= 6, `${moves.length} of 4`);
  });

  test('takes no copy into a zone that holds another one', () => {
    const zoned = (id: string, zone: string) => backend(id, { usableBytes: 2_000, zone });
    const members = [zoned('b0', 'east'), zoned('b1', 'west')];
    const models = Array.from({ length: 60 }, (_, at): PlannedModel => {
      const copies = members.map(({ id: backendId }) => ({ backendId, state: 'ready' as const }));
      return { ...model(`m${at}`, { expectedBytes: 10 }), loadMs: 10, copies };
    });
    const full = members.map((one) => ({ ...one, usedBytes: 600 }));
    const moves = planRebalance({ backends: [...full, zoned('b2', 'east')], models });
    assert.ok(moves.length > 0);
    for (const { from } of moves) assert.equal(from, 'b0', 'the other one would leave west without a copy');
  });

  test('takes copies that prefer the newcomer where others would do as well', () => {
    const flat = settled({ ...equal, demand: () => 1, models: 1_000, usableBytes: () => 10_000 });
    const picture = joined(flat, backend('b3', { usableBytes: 10_000 }));
    const members = picture.backends;
    const moves = planRebalance(picture);
    const preferring = moves.filter((move) => preferenceOrder(move.model, members)[0]!.id === 'b3').length;
    assert.ok(preferring > 0.6 * moves.length, `${preferring} of ${moves.length}`);
  });

  test('leaves alone what may not move: other engines, missing labels, copies that are already there', () => {
    const picture = joined(settled(equal), backend('b3', { usableBytes: 2_000, engines: ['tensorflow'] }));
    assert.deepEqual(planRebalance(picture), []);
    const everywhere = picture.models.map((one) => ({
      ...one,
      copies: [...one.copies, { backendId: 'b3', state: 'loading' as const }],
    }));
    const able = joined(settled(equal), backend('b3', { usableBytes: 2_000 }));
    assert.deepEqual(planRebalance({ ...able, models: everywhere }), []);
  });

  test('does nothing for a fleet that is even, or for a handful of models', () => {
    assert.deepEqual(planRebalance(settled({ ...equal, models: 3_000, usableBytes: () => 40_000 })), []);
    assert.deepEqual(planRebalance(joined(settled({ ...equal, models: 4 }), backend('b3'))), []);
    assert.deepEqual(planRebalance({ backends: [], models: [] }), []);
  });

  test('moves a hundredth of 30,000 models to the hundredth backend, as one that leaves gives up what it held', () => {
    const shape = { ...equal, backends: 99, models: 30_000, usableBytes: () => 5_000 };
    const before = settled(shape);
    const picture = joined(before, backend('b99', { usableBytes: 5_000 }));
    const moves = planRebalance(picture);
    assert.ok(moves.length <= 300 && moves.length >= 295, `${moves.length}`);
    const orphans = before.models.filter(({ copies }) => copies[0]!.backendId === 'b0').length;
    const left = plan({ backends: before.backends.slice(1), models: before.models });
    assert.equal(left.moves.length, orphans);
  });
});
