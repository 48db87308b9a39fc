import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { describeCandidate } from '../../../src/router/placement/candidate.ts';
import { explain, type Placement, place } from '../../../src/router/placement/place.ts';
import { preferenceOrder } from '../../../src/router/placement/rendezvous.ts';
import { defaultPlacementOptions, type PlacementBackend } from '../../../src/router/placement/snapshot.ts';
import { backend, backends, model, models } from './fleets.ts';

const questions = fc
  .record({
    fleet: backends,
    model: models,
    seed: fc.array(fc.nat(), { maxLength: 3 }),
    excluded: fc.array(fc.nat(), { maxLength: 2 }),
  })
  .map(({ fleet, model, seed, excluded }) => ({
    fleet,
    model,
    copies: [...new Set(seed.map((nth) => fleet[nth % fleet.length]?.id ?? 'gone'))].map((backendId, at) => ({
      backendId,
      state: at % 2 === 0 ? ('loading' as const) : ('ready' as const),
    })),
    excluded: new Set(excluded.map((nth) => fleet[nth % fleet.length]?.id ?? 'gone')),
  }));

const chosen = ({ candidates }: Placement) => candidates[0]?.backendId;
const full = (id: string, evictionPrice: number, assignedDemand = 1) =>
  backend(id, { usedBytes: 95, evictionPrice, assignedDemand });

/** Backends in the model's own order of preference: what is written first is preferred. */
function inOrder(name: string, ...made: ((id: string) => PlacementBackend)[]): PlacementBackend[] {
  const ids = preferenceOrder(
    name,
    made.map((_, at) => backend(`b${at}`)),
  ).map(({ id }) => id);
  return made.map((make, at) => make(ids[at]!));
}

describe('place', () => {
  test('names only backends that may hold the model, each once', () => {
    fc.assert(
      fc.property(questions, ({ fleet, ...question }) => {
        const { candidates } = place(fleet, question);
        assert.equal(new Set(candidates.map(({ backendId }) => backendId)).size, candidates.length);
        for (const { backendId, verdict } of candidates) {
          const found = fleet.find(({ id }) => id === backendId)!;
          assert.ok(
            found.state === 'ready' &&
              found.engines.includes(question.model.engine) &&
              !question.excluded.has(backendId),
          );
          assert.ok(question.model.expectedBytes <= found.usableBytes);
          assert.ok(
            question.model.requires?.['zone'] === undefined || found.labels['zone'] === question.model.requires['zone'],
          );
          if (verdict.kind === 'room' || verdict.kind === 'over_bound') {
            assert.ok(found.usedBytes + question.model.expectedBytes <= found.usableBytes, 'above the hard cap');
          }
        }
      }),
    );
  });

  test('answers the same however the backends are listed, and as explain does', () => {
    fc.assert(
      fc.property(questions, ({ fleet, ...question }) => {
        const placed = place(fleet, question);
        assert.deepEqual(place([...fleet].reverse(), question), placed);
        const explained = explain(fleet, question);
        assert.equal(explained.candidates.length, fleet.length);
        assert.equal(explained.regime, placed.regime);
        const first = explained.candidates.slice(0, placed.candidates.length);
        assert.deepEqual(first, placed.candidates);
        for (const candidate of explained.candidates) assert.ok(describeCandidate(candidate).length > 10);
      }),
    );
  });

  test('lets every legal copy stay, those that are ready first', () => {
    fc.assert(
      fc.property(questions, ({ fleet, ...question }) => {
        const { candidates } = place(fleet, question);
        const legal = explain(fleet, { ...question, copies: [] }).candidates.filter(
          ({ verdict }) => verdict.kind !== 'refused' || verdict.why === 'nothing_to_evict',
        );
        const staying = question.copies.filter(({ backendId }) =>
          legal.some((candidate) => candidate.backendId === backendId),
        );
        const kept = candidates.slice(0, staying.length);
        assert.ok(kept.every(({ verdict }) => verdict.kind === 'keep'));
        const states = kept.map(({ verdict }) => (verdict.kind === 'keep' ? verdict.copy : ''));
        assert.deepEqual(states, [...states].sort().reverse());
      }),
    );
  });

  test('finds a place wherever there is one', () => {
    fc.assert(
      fc.property(questions, ({ fleet, ...question }) => {
        const able = explain(fleet, question).candidates.some(({ verdict }) => verdict.kind !== 'refused');
        assert.equal(place(fleet, question).candidates.length > 0, able);
      }),
    );
  });

  test('takes the most preferred backend that has room and uses no more than its share', () => {
    const [first, second] = inOrder(
      'm',
      (id) => backend(id, { usedBytes: 60 }),
      (id) => backend(id, { usedBytes: 40 }),
    );
    assert.equal(
      chosen(place([first!, second!], { model: model('m'), copies: [] })),
      second!.id,
      '60 is above 1.15 * 50',
    );
    const even = inOrder(
      'm',
      (id) => backend(id, { usedBytes: 50 }),
      (id) => backend(id, { usedBytes: 45 }),
    );
    assert.equal(chosen(place(even, { model: model('m'), copies: [] })), even[0]!.id);
  });

  test('takes a backend above the bound before it evicts anything', () => {
    const fleet = inOrder(
      'm',
      (id) => full(id, 0.001),
      (id) => backend(id, { usedBytes: 85 }),
      (id) => backend(id, { usedBytes: 0, engines: [] }),
    );
    const { regime, candidates } = place(fleet, { model: model('m'), copies: [] });
    assert.deepEqual(
      [regime, candidates[0]?.backendId, candidates[0]?.verdict.kind],
      ['room', fleet[1]!.id, 'over_bound'],
    );
  });

  test('fills an empty fleet evenly, without a backend above its share by more than a model', () => {
    const fleet = Array.from({ length: 20 }, (_, at) => backend(`b${at}`, { usableBytes: 100 * (1 + (at % 3)) }));
    const used = new Map(fleet.map(({ id }) => [id, 0]));
    for (let at = 0; at < 300; at++) {
      const now = fleet.map((one) => ({ ...one, usedBytes: used.get(one.id)! }));
      const target = chosen(place(now, { model: model(`model-${at}`), copies: [] }))!;
      used.set(target, used.get(target)! + 10);
    }
    const usable = fleet.reduce((sum, { usableBytes }) => sum + usableBytes, 0);
    for (const { id, usableBytes } of fleet) assert.ok(used.get(id)! <= 1.15 * usableBytes * (3_000 / usable) + 10, id);
  });

  test('evicts where it costs least among the first choices, unless the gain is small', () => {
    const cheapSecond = inOrder(
      'm',
      (id) => full(id, 10),
      (id) => full(id, 7.4),
      (id) => full(id, 0),
    );
    const { regime, candidates } = place(cheapSecond, { model: model('m'), copies: [] });
    assert.deepEqual([regime, candidates[0]?.backendId], ['full', cheapSecond[1]!.id], 'the third is no choice');
    const hardlyCheaper = inOrder(
      'm',
      (id) => full(id, 10),
      (id) => full(id, 7.6),
    );
    assert.equal(chosen(place(hardlyCheaper, { model: model('m'), copies: [] })), hardlyCheaper[0]!.id);
  });

  test('makes a backend dearer that carries more than its share of demand, but never shuts it out', () => {
    const loaded = inOrder(
      'm',
      (id) => full(id, 1, 90),
      (id) => full(id, 0.8, 10),
    );
    assert.equal(chosen(place(loaded, { model: model('m'), copies: [] })), loaded[1]!.id);
    const cold = inOrder(
      'm',
      (id) => full(id, 0.1, 99),
      (id) => full(id, 10, 1),
    );
    assert.equal(chosen(place(cold, { model: model('m'), copies: [] })), cold[0]!.id);
  });

  test('does not mind demand that is a little above the share', () => {
    const fleet = inOrder(
      'm',
      (id) => full(id, 1, 60),
      (id) => full(id, 0.8, 40),
    );
    assert.equal(chosen(place(fleet, { model: model('m'), copies: [] })), fleet[0]!.id);
  });

  test('goes down the whole list for room before it evicts, and for copies before it answers', () => {
    const crowded = inOrder('m', ...Array.from({ length: 6 }, () => (id: string) => full(id, 1)), (id) => backend(id));
    assert.equal(chosen(place(crowded, { model: model('m'), copies: [] })), crowded[6]!.id);
    const empty = inOrder('m', ...Array.from({ length: 9 }, () => (id: string) => backend(id)));
    const copies = empty
      .slice(5)
      .map(({ id }, at) => ({ backendId: id, state: at < 2 ? ('loading' as const) : ('ready' as const) }));
    const { candidates } = place(empty, { model: model('m'), copies });
    assert.deepEqual(
      candidates.map(({ rank }) => rank),
      [7, 8, 5, 6],
      'ready ones first, all of them, though three were asked for',
    );
  });

  test('calls the first of an empty fleet within the bound', () => {
    const fleet = inOrder(
      'm',
      (id) => backend(id),
      (id) => backend(id),
    );
    const { candidates } = place(fleet, { model: model('m'), copies: [] });
    assert.deepEqual(
      candidates.map(({ verdict, backendId }) => [verdict.kind, backendId]),
      fleet.map(({ id }) => ['room', id]),
    );
  });

  test('lists those that could evict by price behind the winner, and says which come too late', () => {
    const fleet = inOrder(
      'm',
      (id) => full(id, 10),
      (id) => full(id, 9),
      (id) => full(id, 8),
      (id) => full(id, 1),
    );
    const options = { ...defaultPlacementOptions, choices: 3 };
    const { candidates } = explain(fleet, { model: model('m'), copies: [] }, options);
    assert.deepEqual(
      candidates.map(({ rank, verdict }) => [rank, verdict.kind]),
      [
        [0, 'evict'],
        [2, 'evict'],
        [1, 'evict'],
        [3, 'not_considered'],
      ],
    );
  });

  test('looks beyond backends where nothing may be evicted', () => {
    const fleet = inOrder(
      'm',
      (id) => full(id, Infinity),
      (id) => full(id, Infinity),
      (id) => full(id, 5),
    );
    assert.equal(chosen(place(fleet, { model: model('m'), copies: [] })), fleet[2]!.id);
    assert.equal(place(fleet.slice(0, 2), { model: model('m'), copies: [] }).regime, 'none');
  });

  test('moves only the orphans when a backend leaves a fleet that has room', () => {
    const fleet = Array.from({ length: 10 }, (_, at) => backend(`b${at}`, { usableBytes: 1_000 }));
    const homes = new Map(
      Array.from({ length: 200 }, (_, at) => [
        `model-${at}`,
        chosen(place(fleet, { model: model(`model-${at}`), copies: [] }))!,
      ]),
    );
    const left = fleet.slice(1);
    for (const [name, home] of homes) {
      const now = chosen(place(left, { model: model(name), copies: [{ backendId: home, state: 'ready' }] }));
      assert.ok(home === fleet[0]!.id ? now !== home : now === home);
    }
  });

  test('agrees with another router that saw the use a little earlier, for nearly all models', () => {
    const fleet = Array.from({ length: 8 }, (_, at) =>
      backend(`b${at}`, { usedBytes: 95, evictionPrice: 1 + (at % 4) / 10 }),
    );
    const skewed = fleet.map((one, at) => ({ ...one, evictionPrice: one.evictionPrice * (1 + (at % 3) / 20) }));
    let apart = 0;
    for (let at = 0; at < 500; at++) {
      const question = { model: model(`model-${at}`), copies: [] };
      if (chosen(place(fleet, question)) !== chosen(place(skewed, question))) apart += 1;
    }
    assert.ok(apart < 50, `${apart} of 500 differ`);
  });

  test('gives as many candidates as are asked for', () => {
    const fleet = Array.from({ length: 9 }, (_, at) => backend(`b${at}`));
    const options = { ...defaultPlacementOptions, candidates: 5 };
    const { candidates } = place(fleet, { model: model('m'), copies: [] }, options);
    assert.deepEqual(
      candidates.map(({ rank }) => rank),
      [0, 1, 2, 3, 4],
    );
  });
});
