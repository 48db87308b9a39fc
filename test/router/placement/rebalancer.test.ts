import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FleetPicture, Move, PlannedModel } from '../../../src/router/placement/plan.ts';
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
  const epoch = picture.backends.map(({ id }) => id).join(' ');
  const all = { isOurs: () => true, isCurrent: () => true };
  return { picture: () => picture, epoch, routers: 1, underWay: 0, ...all, ...changes };
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

  test('leaves out what is not so any more, and models of other routers', () => {
    const rebalancer = new Rebalancer();
    const isOurs = (name: string) => Number(name.slice(1)) % 2 === 0;
    rebalancer.tick(view(after, { isOurs }), 0);
    const moves: Move[] = [];
    const isCurrent = ({ from }: Move) => from !== 'b1';
    for (let nowMs = 1_000; nowMs < 9_000; nowMs += 500)
      moves.push(...rebalancer.tick(view(after, { isOurs, isCurrent }), nowMs));
    assert.ok(moves.length > 0 && moves.every(({ model: name, from }) => isOurs(name) && from !== 'b1'));
  });

  test('drops its plan when the fleet changes', () => {
    const rebalancer = new Rebalancer();
    rebalancer.tick(view(after), 0);
    assert.ok(rebalancer.queued > 0);
    assert.deepEqual(rebalancer.tick(view(before), 1_000), []);
    assert.equal(rebalancer.queued, 0);
  });

  test('looks at a fleet in balance only now and then', () => {
    const rebalancer = new Rebalancer();
    let looks = 0;
    const picture = () => {
      looks += 1;
      return before;
    };
    for (let nowMs = 0; nowMs < 20_000; nowMs += 100) rebalancer.tick(view(before, { picture }), nowMs);
    assert.equal(looks, 4);
  });
});
