import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  chooseVictims,
  defaultEvictionOptions,
  type EvictableCopy,
  evictionPrice,
  valuePerByte,
} from '../../../src/backends/memory/eviction.ts';

const nowMs = 100_000;
const copies: fc.Arbitrary<EvictableCopy[]> = fc
  .array(
    fc.record({
      residentBytes: fc.integer({ min: 1, max: 50 }),
      loadMs: fc.integer({ min: 1, max: 500 }),
      ratePerSecond: fc.constantFrom(0, 0.1, 1, 5),
      readySinceMs: fc.integer({ min: nowMs - 60_000, max: nowMs }),
      wasUsed: fc.boolean(),
      inUse: fc.boolean(),
      pinned: fc.boolean(),
    }),
    { maxLength: 20 },
  )
  .map((made) => made.map((one, at) => ({ ...one, key: `m${at}` })));
const wishes = fc.record({
  neededBytes: fc.integer({ min: -10, max: 300 }),
  for: fc.constantFrom('request' as const, 'background' as const),
  incomingValue: fc.constantFrom(0, 1, 50, Infinity),
});
const copy = (key: string, changes: Partial<EvictableCopy> = {}): EvictableCopy => ({
  key,
  residentBytes: 10,
  loadMs: 30,
  ratePerSecond: 1,
  readySinceMs: 0,
  wasUsed: true,
  inUse: false,
  pinned: false,
  ...changes,
});
const keys = (chosen: { readonly victims: readonly EvictableCopy[] }) => chosen.victims.map(({ key }) => key);

describe('chooseVictims', () => {
  test('frees what is needed or says what is missing, with no copy more than needed', () => {
    fc.assert(
      fc.property(copies, wishes, (held, wanted) => {
        const { victims, freedBytes, missingBytes } = chooseVictims(held, wanted, nowMs);
        assert.equal(
          freedBytes,
          victims.reduce((sum, { residentBytes }) => sum + residentBytes, 0),
        );
        assert.equal(missingBytes, Math.max(0, wanted.neededBytes - freedBytes));
        assert.equal(new Set(victims).size, victims.length);
        for (const victim of victims)
          assert.ok(freedBytes - victim.residentBytes < wanted.neededBytes, 'one could have stayed');
        if (missingBytes > 0 && wanted.for === 'request') {
          const left = held.filter((one) => !victims.includes(one));
          assert.ok(
            left.every(
              (one) =>
                one.inUse ||
                one.pinned ||
                (!one.wasUsed && nowMs - one.readySinceMs < defaultEvictionOptions.firstUseMs),
            ),
          );
        }
      }),
    );
  });

  test('never takes a copy in use, a pinned one, or one whose first request is still on its way', () => {
    fc.assert(
      fc.property(copies, wishes, (held, wanted) => {
        for (const one of chooseVictims(held, wanted, nowMs).victims) {
          assert.ok(
            !one.inUse && !one.pinned && (one.wasUsed || nowMs - one.readySinceMs >= defaultEvictionOptions.firstUseMs),
          );
        }
      }),
    );
  });

  test('takes the least value per byte first, whatever the order of the copies', () => {
    fc.assert(
      fc.property(copies, wishes, (held, wanted) => {
        const chosen = chooseVictims(held, wanted, nowMs);
        const values = chosen.victims.map(valuePerByte);
        assert.deepEqual(
          values,
          [...values].sort((a, b) => a - b),
        );
        assert.deepEqual(chooseVictims([...held].reverse(), wanted, nowMs), chosen);
      }),
    );
  });

  test('weighs rate, load time and size', () => {
    const held = [
      copy('rare', { ratePerSecond: 0.5 }),
      copy('quick to load', { loadMs: 20 }),
      copy('large', { residentBytes: 100 }),
      copy('plain'),
    ];
    const order = [10, 110, 120, 130].map((neededBytes) =>
      keys(chooseVictims(held, { neededBytes, for: 'request' }, nowMs)),
    );
    assert.deepEqual(
      order.map((victims) => victims.length),
      [1, 2, 3, 4],
    );
    assert.deepEqual(order[3], ['large', 'rare', 'quick to load', 'plain']);
  });

  test('spares small copies when a large one has to go anyway', () => {
    const held = [
      copy('small', { residentBytes: 10, ratePerSecond: 0.01 }),
      copy('large', { residentBytes: 100, ratePerSecond: 1 }),
    ];
    assert.deepEqual(keys(chooseVictims(held, { neededBytes: 60, for: 'request' }, nowMs)), ['large']);
  });

  test('lets a copy stay for a while, unless a request waits', () => {
    const young = [copy('young', { readySinceMs: nowMs - 1_000 })];
    assert.deepEqual(keys(chooseVictims(young, { neededBytes: 5, for: 'background' }, nowMs)), []);
    assert.deepEqual(keys(chooseVictims(young, { neededBytes: 5, for: 'request' }, nowMs)), ['young']);
    assert.deepEqual(keys(chooseVictims(young, { neededBytes: 5, for: 'background' }, nowMs + 60_000)), ['young']);
  });

  test('does not thrash in the background: what comes must be worth more than what goes', () => {
    const held = [copy('m')];
    const value = valuePerByte(held[0]!);
    assert.deepEqual(keys(chooseVictims(held, { neededBytes: 5, for: 'background', incomingValue: value }, nowMs)), []);
    assert.deepEqual(
      keys(chooseVictims(held, { neededBytes: 5, for: 'background', incomingValue: 1.1 * value }, nowMs)),
      ['m'],
    );
  });
});

describe('evictionPrice', () => {
  test('is 0 where there is room, Infinity where there is not so much, and rises with what is needed', () => {
    fc.assert(
      fc.property(copies, fc.array(fc.integer({ min: -5, max: 400 }), { maxLength: 10 }), (held, needs) => {
        const prices = [...needs].sort((a, b) => a - b).map((neededBytes) => evictionPrice(held, neededBytes));
        assert.deepEqual(
          prices,
          [...prices].sort((a, b) => (a === b ? 0 : a - b)),
        );
        assert.equal(evictionPrice(held, 0), 0);
        const most = held.filter(({ pinned }) => !pinned).reduce((sum, { residentBytes }) => sum + residentBytes, 0);
        assert.equal(evictionPrice(held, most + 1), Infinity);
        if (most > 0) assert.ok(evictionPrice(held, most) < Infinity);
      }),
    );
  });

  test('does not jump because a copy is in use', () => {
    fc.assert(
      fc.property(copies, fc.integer({ min: 1, max: 300 }), (held, neededBytes) => {
        const busy = held.map((one) => ({ ...one, inUse: true }));
        assert.equal(evictionPrice(busy, neededBytes), evictionPrice(held, neededBytes));
      }),
    );
  });
});
