import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type CopyMemory, mayStartLoad, needToFree, requiredBytes } from '../../../src/backends/memory/budget.ts';

const memories: fc.Arbitrary<CopyMemory[]> = fc.array(
  fc.record({
    residentBytes: fc.nat(100),
    runPeakBytes: fc.nat(50),
    parallelRuns: fc.integer({ min: 1, max: 4 }),
    coresPerRun: fc.constant(1),
  }),
  { maxLength: 12 },
);
const copy = (residentBytes: number, runPeakBytes = 0, parallelRuns = 1): CopyMemory => ({
  residentBytes,
  runPeakBytes,
  parallelRuns,
  coresPerRun: 1,
});

describe('requiredBytes', () => {
  test('is what all copies hold and the largest run peaks that can come together', () => {
    fc.assert(
      fc.property(memories, fc.integer({ min: 1, max: 6 }), (copies, cores) => {
        const peaks = copies.flatMap((one) => Array.from({ length: one.parallelRuns }, () => one.runPeakBytes));
        const largest = peaks.sort((a, b) => b - a).slice(0, cores);
        const expected = [...copies.map(({ residentBytes }) => residentBytes), ...largest].reduce(
          (sum, bytes) => sum + bytes,
          0,
        );
        assert.equal(requiredBytes(copies, cores), expected);
      }),
    );
  });
});

describe('requiredBytes of runs that take several cores', () => {
  const wide = fc.array(
    fc.record({
      residentBytes: fc.constant(0),
      runPeakBytes: fc.nat(50),
      parallelRuns: fc.integer({ min: 1, max: 2 }),
      coresPerRun: fc.constantFrom(1, 2, 4),
    }),
    { maxLength: 5 },
  );

  test('is no less than what any runs take that fit on the cores together', () => {
    fc.assert(
      fc.property(wide, fc.constantFrom(1, 2, 4), (copies, cores) => {
        const runs = copies.flatMap((one) => Array.from({ length: one.parallelRuns }, () => one));
        let most = 0;
        for (let set = 0; set < 2 ** runs.length; set++) {
          const chosen = runs.filter((_, i) => (set >> i) & 1);
          const used = chosen.reduce((sum, run) => sum + Math.min(cores, run.coresPerRun), 0);
          if (used <= cores)
            most = Math.max(
              most,
              chosen.reduce((sum, run) => sum + run.runPeakBytes, 0),
            );
        }
        assert.ok(requiredBytes(copies, cores) >= most - 1e-9);
      }),
    );
  });

  test('is that of one run where each takes all cores', () => {
    const one = { residentBytes: 10, runPeakBytes: 8, parallelRuns: 1, coresPerRun: 2 };
    assert.equal(requiredBytes([one, { ...one, runPeakBytes: 6 }], 2), 28);
    assert.equal(requiredBytes([one, { ...one, runPeakBytes: 6, coresPerRun: 1, parallelRuns: 2 }], 2), 32);
  });
});

describe('needToFree', () => {
  test('keeps the budget: when so much of what is held has gone, the copy fits', () => {
    fc.assert(
      fc.property(
        memories,
        memories,
        fc.integer({ min: 1, max: 4 }),
        fc.nat(600),
        (held, [incoming = copy(1)], cores, limitBytes) => {
          let needed = needToFree(held, incoming, { limitBytes, cores });
          if (needed === Infinity) {
            assert.ok(requiredBytes([incoming], cores) > limitBytes);
            return;
          }
          const left = [...held];
          while (needed > 0 && left.length > 0) needed -= left.pop()!.residentBytes;
          if (needed <= 0) assert.ok(requiredBytes([...left, incoming], cores) <= limitBytes);
        },
      ),
    );
  });

  test('says of a copy that is too large for everything that nothing would help', () => {
    assert.equal(needToFree([], copy(90, 20), { limitBytes: 100, cores: 1 }), Infinity);
  });

  test('counts the peak of the copy that comes only as far as it is above those that are kept free', () => {
    const budget = { limitBytes: 100, cores: 1 };
    assert.equal(needToFree([copy(60, 20)], copy(20, 15), budget), 0);
    assert.equal(needToFree([copy(60, 20)], copy(20, 25), budget), 5);
  });
});

describe('mayStartLoad', () => {
  const loading = { residentBytes: 10, stage: 'loading' } as const;
  const unproven = { residentBytes: 10, stage: 'unproven' } as const;
  // [what, coming, incoming bytes, lanes, answer]; the budget is 240 bytes, an eighth of it 30
  const rows: readonly [string, readonly (typeof loading | typeof unproven)[], number, number, boolean][] = [
    ['starts a load that is alone, however large', [], 240, 1, true],
    ['starts as many loads as there are lanes', [loading], 10, 2, true],
    ['starts no more loads than lanes', [loading], 10, 1, false],
    ['does not count a loaded copy as a lane', [unproven], 10, 1, true],
    ['lets an eighth of the budget be on its way', [unproven, loading], 10, 8, true],
    ['lets no more be on its way, loaded or loading', [unproven, loading], 11, 8, false],
  ];
  for (const [what, coming, incomingBytes, lanes, answer] of rows) {
    test(what, () => assert.equal(mayStartLoad(coming, incomingBytes, lanes, 240), answer));
  }
});
