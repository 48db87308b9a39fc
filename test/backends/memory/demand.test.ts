import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DemandTable } from '../../../src/backends/memory/demand.ts';

/** Below it, a double has fewer digits the smaller it is: two rates that fade further keep their order, not their ratio. */
const fewDigits = 1e-300;

describe('DemandTable', () => {
  test('finds the rates of a steady load', () => {
    const table = new DemandTable({ maxEntries: 100 });
    table.setPlaces(50);
    // Ten requests a second, for a tenth of them `rare`.
    for (let at = 0; at < 5_000; at++) table.record(at % 10 === 0 ? 'rare' : 'often', 100 * at);
    assert.ok(Math.abs(table.ratePerSecond('often', 500_000) - 9) < 0.3, String(table.ratePerSecond('often', 500_000)));
    assert.ok(Math.abs(table.ratePerSecond('rare', 500_000) - 1) < 0.1);
    assert.equal(table.ratePerSecond('unknown', 500_000), 0);
  });

  test('orders models by what they were asked for, whatever the pace and after any pause', () => {
    fc.assert(
      fc.property(fc.constantFrom(0.01, 1, 60_000), fc.nat(1e9), (gapMs, pauseMs) => {
        const table = new DemandTable({ maxEntries: 100 });
        const nowMs = 300 * gapMs;
        for (let at = 0; at <= 300; at++) table.record(at % 3 === 0 ? 'b' : at % 7 === 0 ? 'c' : 'a', at * gapMs);
        const rates = ['a', 'b', 'c'].map((key) => table.ratePerSecond(key, nowMs));
        assert.deepEqual(
          [...rates].sort((x, y) => y - x),
          rates,
        );
        const later = ['a', 'b'].map((key) => table.ratePerSecond(key, nowMs + pauseMs));
        assert.ok(later[0]! >= later[1]!);
        assert.ok(
          later[1]! < fewDigits ||
            Math.abs(later[0]! / later[1]! - rates[0]! / rates[1]!) < 1e-6 * (rates[0]! / rates[1]!),
        );
      }),
      { examples: [[0.01, 31_701_398]] },
    );
  });

  test('learns a new favourite in a few half-lives, which are longer where there is more room', () => {
    const after = (places: number) => {
      const table = new DemandTable({ maxEntries: 100 });
      table.setPlaces(places);
      for (let at = 0; at < 2_000; at++) table.record('old', at);
      for (let at = 2_000; at < 2_300; at++) table.record('new', at);
      return table.ratePerSecond('new', 2_300) / table.ratePerSecond('old', 2_300);
    };
    assert.ok(after(8) > 1 && after(100) < 0.3, `${after(8)} ${after(100)}`);
  });

  test('remembers a bounded number of models, and those that matter', () => {
    const table = new DemandTable({ maxEntries: 64 });
    for (let at = 0; at < 5_000; at++) {
      table.record(`once-${at}`, at);
      if (at % 4 === 0) table.record(`hot-${(at / 4) % 8}`, at);
      assert.ok(table.size <= 64);
    }
    for (let hot = 0; hot < 8; hot++)
      assert.ok(table.ratePerSecond(`hot-${hot}`, 5_000) > table.ratePerSecond('once-4999', 5_000));
    table.forget('hot-0');
    assert.equal(table.ratePerSecond('hot-0', 5_000), 0);
  });

  test('does not take a clock that goes back for an eternity', () => {
    const table = new DemandTable({ maxEntries: 8 });
    for (const nowMs of [1_000, 500, 1_500]) table.record('a', nowMs);
    assert.equal(table.ratePerSecond('a', 0), table.ratePerSecond('a', 1_500));
    const before = table.ratePerSecond('a', 60_000);
    table.record('a', 0);
    assert.ok(table.ratePerSecond('a', 60_000) / before < 1.5);
  });
});
