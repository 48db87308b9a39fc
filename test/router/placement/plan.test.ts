import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type PlannedModel, plan, planDrain } from '../../../src/router/placement/plan.ts';
import { preferenceOrder } from '../../../src/router/placement/rendezvous.ts';
import { backend, backends, model, models } from './fleets.ts';

const pictures = fc
  .record({
    fleet: backends,
    known: fc.array(models, { maxLength: 10 }),
    homes: fc.array(fc.nat(), { minLength: 10, maxLength: 10 }),
  })
  .map(({ fleet, known, homes }) => ({
    backends: fleet,
    models: known.map((one, at): PlannedModel => {
      const backendId = fleet[homes[at]! % fleet.length]?.id ?? 'gone';
      return {
        ...one,
        name: `${one.name}-${at}`,
        loadMs: 10 * one.expectedBytes,
        copies: [{ backendId, state: 'ready' }],
      };
    }),
  }));
const at = (backendId: string, name: string, changes = {}): PlannedModel => ({
  ...model(name, changes),
  loadMs: 30,
  copies: [{ backendId, state: 'ready' }],
});

describe('planDrain', () => {
  test('moves or names every copy of the backend, and nothing else', () => {
    const fleet = [backend('a', { usedBytes: 30 }), backend('b', { usedBytes: 10 }), backend('c')];
    const { moves, stranded } = planDrain({ backends: fleet, models: [at('a', 'x'), at('a', 'y'), at('b', 'z')] }, 'a');
    assert.deepEqual(moves.map((move) => move.model).sort(), ['x', 'y']);
    assert.ok(moves.every(({ from, to }) => from === 'a' && to !== 'a'));
    assert.deepEqual(stranded, []);
  });

  test('counts bytes, and the time of the backend that loads longest', () => {
    const fleet = [backend('a'), backend('b')];
    const known = ['x', 'y', 'z'].map((name) => at('a', name));
    const { bytes, estimatedMs } = planDrain({ backends: fleet, models: known }, 'a');
    assert.deepEqual([bytes, estimatedMs], [30, 90]);
    const slowly = { atOnce: 1, overheadMs: 50, leaveMs: 400 };
    const { moves, estimatedMs: pacedMs } = planDrain({ backends: fleet, models: known }, 'a', slowly);
    assert.equal(pacedMs, moves.reduce((sum, { loadMs }) => sum + loadMs + 50, 0) + 400);
    assert.ok(pacedMs > estimatedMs + 400);
  });

  test('says what cannot go anywhere, and why', () => {
    const fleet = [backend('a'), backend('b', { usableBytes: 15 })];
    const { moves, stranded } = planDrain(
      { backends: fleet, models: [at('a', 'small'), at('a', 'large', { expectedBytes: 40 })] },
      'a',
    );
    assert.deepEqual(
      moves.map((move) => move.model),
      ['small'],
    );
    assert.equal(stranded[0]?.model, 'large');
    const why = new Map(stranded[0]?.candidates.map(({ backendId, verdict }) => [backendId, verdict]));
    assert.deepEqual(why.get('b'), { kind: 'refused', why: 'too_large' });
    assert.deepEqual(why.get('a'), { kind: 'refused', why: 'draining' });
  });

  test('says where something must be evicted', () => {
    const fleet = [backend('a'), backend('b', { usedBytes: 95, evictionPrice: 3 })];
    assert.equal(planDrain({ backends: fleet, models: [at('a', 'x')] }, 'a').moves[0]?.evicts, true);
  });
});

describe('plan', () => {
  test('leaves a settled fleet alone', () => {
    fc.assert(
      fc.property(pictures, (picture) => {
        const settled = picture.backends.map((one) => ({
          ...one,
          state: 'ready' as const,
          engines: ['onnx', 'tensorflow'],
        }));
        if (settled.length > 0) assert.deepEqual(plan({ ...picture, backends: settled }).moves, []);
      }),
    );
  });

  test('fills no backend above its cap without saying that it evicts, and changes nothing of the picture', () => {
    fc.assert(
      fc.property(pictures, (picture) => {
        const before = structuredClone(picture);
        const { moves, bytes } = plan(picture);
        assert.deepEqual(picture, before);
        assert.equal(
          bytes,
          moves.reduce((sum, move) => sum + move.bytes, 0),
        );
        for (const { id, usableBytes, usedBytes } of picture.backends) {
          const come = moves
            .filter(({ to, evicts }) => to === id && !evicts)
            .reduce((sum, move) => sum + move.bytes, 0);
          assert.ok(come === 0 || usedBytes + come <= usableBytes);
        }
      }),
    );
  });

  test('never moves a copy to a backend that holds another of the same version', () => {
    const fleet = [backend('a', { state: 'draining' }), backend('b'), backend('c')];
    const twice: PlannedModel = {
      ...at('a', 'x'),
      copies: [
        { backendId: 'a', state: 'ready' },
        { backendId: 'b', state: 'ready' },
      ],
    };
    assert.deepEqual(
      plan({ backends: fleet, models: [twice] }).moves.map(({ to }) => to),
      ['c'],
    );
  });

  test('places the large first, so that the small fill what is left', () => {
    const fleet = [
      backend('a', { state: 'draining' }),
      backend('b', { usableBytes: 50 }),
      backend('c', { usableBytes: 20 }),
    ];
    const known = [at('a', 'small-1'), at('a', 'small-2'), at('a', 'z-large', { expectedBytes: 50 })];
    const { moves } = plan({ backends: fleet, models: known });
    assert.deepEqual(
      moves.map((move) => [move.model, move.to, move.evicts]),
      [
        ['z-large', 'b', false],
        ['small-1', 'c', false],
        ['small-2', 'c', false],
      ],
    );
  });

  test('counts the demand that it moves: what prefers one full backend overflows to the next', () => {
    const crowded = { usedBytes: 100, evictionPrice: 1, assignedDemand: 10 };
    const fleet = [
      backend('a', { state: 'draining' }),
      backend('b', crowded),
      backend('c', crowded),
      backend('d', crowded),
    ];
    const names = Array.from({ length: 80 }, (_, nth) => `m${nth}`);
    const likeB = names.filter((name) => preferenceOrder(name, fleet.slice(1))[0]!.id === 'b');
    const { moves } = plan({ backends: fleet, models: likeB.map((name) => at('a', name, { demand: 20 })) });
    const elsewhere = moves.filter(({ to }) => to !== 'b').length;
    assert.ok(elsewhere > 0 && elsewhere < moves.length / 2, `${elsewhere} of ${moves.length}`);
  });

  test('moves a copy away from a backend that does not run its engine any more', () => {
    const fleet = [backend('a', { engines: ['tensorflow'] }), backend('b')];
    assert.deepEqual(
      plan({ backends: fleet, models: [at('a', 'x')] }).moves.map(({ to }) => to),
      ['b'],
    );
  });

  test('plans for a backend that has gone, and waits for one that is suspended', () => {
    const fleet = [backend('a', { state: 'suspended' }), backend('b')];
    const { moves } = plan({ backends: fleet, models: [at('a', 'waits'), at('gone', 'orphan')] });
    assert.deepEqual(
      moves.map((move) => [move.model, move.to]),
      [['orphan', 'b']],
    );
  });
});
