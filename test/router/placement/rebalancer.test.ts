import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FleetPicture, Move, PlannedModel } from '../../../src/router/placement/plan.ts';
import { wholePlan } from '../../../src/router/placement/rebalance.ts';
import { defaultRebalancePace, Rebalancer, type RebalanceView } from '../../../src/router/placement/rebalancer.ts';
import { backend, model } from './fleets.ts';

const known = Array.from({ length: 60 }, (_, at): PlannedModel => {
  const copies = [{ backendId: `b${at % 3}`, state: 'ready' as const }];
  return { ...model(`m${at}`), loadMs: 10, copies };
});
const settled = ['b0', 'b1', 'b2'].map((id) => backend(id, { usableBytes: 1_000, usedBytes: 200, assignedDemand: 20 }));
const before: FleetPicture = { backends: settled, models: known };
const after: FleetPicture = { backends: [...settled, backend('b3', { usableBytes: 1_000 })], models: known };

function view(picture: FleetPicture, changes: Partial<RebalanceView> = {}): RebalanceView {
  const parts = { fleet: picture.backends, picture: () => picture, part: wholePlan };
  return { ...parts, underWay: 0, isCurrent: () => true, ...changes };
}

/** As `after`, with so much already at the newcomer. */
function given(usedBytes: number): FleetPicture {
  return { ...after, backends: [...settled, backend('b3', { usableBytes: 1_000, usedBytes })] };
}

describe('Rebalancer', () => {
  test('begins moves at its pace once the fleet has settled', () => {
    const rebalancer = new Rebalancer();
    const begun: { atMs: number; move: Move }[] = [];
    for (let nowMs = 0; nowMs <= 6_000; nowMs += 100) {
      const now = nowMs < 1_000 ? before : after;
      for (const move of rebalancer.tick(view(now), nowMs)) begun.push({ atMs: nowMs, move });
    }
    assert.equal(begun.length, 15, 'a quarter of 60');
    assert.ok(begun[0]!.atMs >= 1_000 + defaultRebalancePace.settleMs);
    const within = begun.filter(({ atMs }) => atMs < begun[0]!.atMs + 1_000).length;
    assert.ok(within <= defaultRebalancePace.perSecond + defaultRebalancePace.atOnce, `${within} in a second`);
    assert.ok(begun.at(-1)!.atMs < 5_000);
  });

  test('has no more under way than it may', () => {
    const rebalancer = new Rebalancer();
    assert.deepEqual(rebalancer.tick(view(after), 0), [], 'nothing is saved up');
    assert.equal(rebalancer.tick(view(after, { underWay: 1 }), 5_000).length, 1);
    assert.deepEqual(rebalancer.tick(view(after, { underWay: 2 }), 9_000), []);
    assert.equal(rebalancer.queued, 14);
  });

  test('leaves out what is not so any more', () => {
    const rebalancer = new Rebalancer();
    rebalancer.tick(view(after), 0);
    const moves: Move[] = [];
    const isCurrent = ({ from }: Move) => from !== 'b1';
    for (let nowMs = 1_000; nowMs < 9_000; nowMs += 500)
      moves.push(...rebalancer.tick(view(after, { isCurrent }), nowMs));
    assert.ok(moves.length > 0 && moves.every(({ from }) => from !== 'b1'));
  });

  test('begins moves of its own models at its part of the pace', () => {
    const begun = [0, 1, 2].map((position) => {
      const rebalancer = new Rebalancer();
      const part = { isOurs: (name: string) => Number(name.slice(1)) % 3 === position, position, routers: 3 };
      const moves: { atMs: number; move: Move }[] = [];
      for (let nowMs = 0; nowMs <= 2_900; nowMs += 100)
        for (const move of rebalancer.tick(view(after, { part }), nowMs)) moves.push({ atMs: nowMs, move });
      for (const { move } of moves) assert.ok(part.isOurs(move.model));
      return moves;
    });
    assert.equal(begun.flat().length, 15, 'a quarter of 60, as one router would move');
    const withinSecond = begun.flat().filter(({ atMs }) => atMs < 1_000).length;
    assert.ok(withinSecond <= defaultRebalancePace.perSecond + 3 * defaultRebalancePace.atOnce, `${withinSecond}`);
  });

  test('drops its plan when the fleet changes', () => {
    const rebalancer = new Rebalancer();
    rebalancer.tick(view(after), 0);
    assert.ok(rebalancer.queued > 0);
    assert.deepEqual(rebalancer.tick(view(before), 1_000), []);
    assert.equal(rebalancer.queued, 0);
  });

  test('looks at the models of a fleet only where somebody lacks much', () => {
    const rebalancer = new Rebalancer();
    let looks = 0;
    const counting = (picture: FleetPicture) =>
      view(picture, {
        picture: () => {
          looks += 1;
          return picture;
        },
      });
    for (let nowMs = 0; nowMs < 20_000; nowMs += 100) rebalancer.tick(counting(before), nowMs);
    assert.equal(looks, 0);
    rebalancer.tick(counting(after), 20_000);
    rebalancer.tick(counting(after), 21_000);
    assert.equal(looks, 1);
  });

  test('looks seldom where nothing can be moved to whom lacks', () => {
    const rebalancer = new Rebalancer();
    const other = backend('b3', { usableBytes: 1_000, engines: ['tensorflow'] });
    const mixed = { ...after, backends: [...settled, other] };
    let looks = 0;
    const picture = () => {
      looks += 1;
      return mixed;
    };
    for (let nowMs = 0; nowMs < 2 * defaultRebalancePace.planAgainMs; nowMs += 100)
      rebalancer.tick(view(mixed, { picture }), nowMs);
    assert.equal(looks, 2);
  });

  test('plans no more while others give to whom lacks, and again once they have stopped', () => {
    const rebalancer = new Rebalancer({ ...defaultRebalancePace, perSecond: 1_000, atOnce: 1_000 });
    rebalancer.tick(view(before), 0);
    rebalancer.tick(view(after), 1_000);
    assert.equal(rebalancer.tick(view(after), 2_000).length, 15, 'the whole plan at once');
    let nowMs = 3_000;
    for (let usedBytes = 1; usedBytes < 40; usedBytes += 1, nowMs += 1_000)
      assert.deepEqual(rebalancer.tick(view(given(usedBytes)), nowMs), []);
    for (; nowMs < 41_000 + defaultRebalancePace.planEveryMs; nowMs += 1_000)
      assert.deepEqual(rebalancer.tick(view(given(39)), nowMs), []);
    const moves = rebalancer.tick(view(given(39)), nowMs);
    assert.ok(moves.length > 8 && moves.length < 15, `${moves.length} for what is still missing`);
  });
});
