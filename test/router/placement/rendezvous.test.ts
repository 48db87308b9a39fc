import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Member, PreferenceWalk, preferenceOrder } from '../../../src/router/placement/rendezvous.ts';

const fleets = fc.uniqueArray(
  fc.record({ id: fc.string({ minLength: 1 }), usableBytes: fc.integer({ min: 1, max: 2 ** 36 }) }),
  { selector: ({ id }) => id, minLength: 2, maxLength: 30 },
);
const ids = (order: readonly Member[]) => order.map(({ id }) => id);

describe('preferenceOrder', () => {
  test('names every member once, in an order that does not depend on how they are listed', () => {
    fc.assert(
      fc.property(fc.string(), fleets, (model, fleet) => {
        const order = ids(preferenceOrder(model, fleet));
        assert.deepEqual([...order].sort(), ids(fleet).sort());
        assert.deepEqual(ids(preferenceOrder(model, [...fleet].reverse())), order);
      }),
    );
  });

  test('keeps everyone else in place when a member leaves, and so when one joins', () => {
    fc.assert(
      fc.property(fc.string(), fleets, fc.nat(), (model, fleet, nth) => {
        const gone = fleet[nth % fleet.length]!.id;
        const without = fleet.filter(({ id }) => id !== gone);
        assert.deepEqual(
          ids(preferenceOrder(model, without)),
          ids(preferenceOrder(model, fleet)).filter((id) => id !== gone),
        );
      }),
    );
  });

  test('raises a member whose weight grows, and moves no other against another', () => {
    fc.assert(
      fc.property(fc.string(), fleets, fc.nat(), (model, fleet, nth) => {
        const { id: grown } = fleet[nth % fleet.length]!;
        const later = fleet.map((member) =>
          member.id === grown ? { ...member, usableBytes: 2 * member.usableBytes } : member,
        );
        const [before, after] = [ids(preferenceOrder(model, fleet)), ids(preferenceOrder(model, later))];
        assert.ok(after.indexOf(grown) <= before.indexOf(grown));
        assert.deepEqual(
          after.filter((id) => id !== grown),
          before.filter((id) => id !== grown),
        );
      }),
    );
  });

  test('gives first and second places in proportion to weight', () => {
    const weights = { a: 1, b: 2, c: 5 };
    const fleet = Object.entries(weights).map(([id, usableBytes]) => ({ id, usableBytes }));
    const wins: Record<string, number> = { a: 0, b: 0, c: 0 };
    const seconds: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (let at = 0; at < 16_000; at++) {
      const [first, second] = preferenceOrder(`model-${at}`, fleet);
      wins[first!.id]! += 1;
      if (first!.id === 'c') seconds[second!.id]! += 1;
    }
    // Of 16,000 draws, four standard deviations are under 250; among the 10,000 whose first is c, under 190.
    for (const [id, weight] of Object.entries(weights))
      assert.ok(Math.abs(wins[id]! - 2_000 * weight) < 250, JSON.stringify(wins));
    assert.ok(Math.abs(seconds['a']! - wins['c']! / 3) < 190, JSON.stringify(seconds));
  });

  test('spreads models over a hundred backends named alike', () => {
    const fleet = Array.from({ length: 100 }, (_, at) => ({ id: `backend-${at}.skein.svc`, usableBytes: 2 ** 34 }));
    const wins = new Map<string, number>(ids(fleet).map((id) => [id, 0]));
    for (let at = 0; at < 10_000; at++) {
      const id = new PreferenceWalk(`team/model-${at}`, fleet).next()!.id;
      wins.set(id, wins.get(id)! + 1);
    }
    // Multinomial with a mean of 100: chi-squared of 99 degrees of freedom stays under 161 in 9,999 of 10,000 fleets.
    const chiSquared = [...wins.values()].reduce((sum, won) => sum + (won - 100) ** 2 / 100, 0);
    assert.ok(chiSquared < 161, `chi-squared ${chiSquared}`);
  });

  test('leaves out members that can hold nothing', () => {
    assert.deepEqual(preferenceOrder('m', [{ id: 'empty', usableBytes: 0 }]), []);
  });

  test('never changes between releases: a router of the next one must agree with those of this one', () => {
    const fleet = Array.from({ length: 5 }, (_, at) => ({ id: `b${at}`, usableBytes: 2 ** (30 + (at % 2)) }));
    assert.deepEqual(
      ['resnet50', 'mobilenet', 'silero-vad', 'Größe'].map((model) => ids(preferenceOrder(model, fleet)).join(' ')),
      ['b1 b2 b0 b3 b4', 'b0 b3 b1 b2 b4', 'b3 b1 b2 b0 b4', 'b3 b0 b1 b4 b2'],
    );
  });
});
