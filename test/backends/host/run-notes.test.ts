import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { RunCost } from '../../../src/backends/batching/run-costs.ts';
import { formatRunNotes, parseRunNotes } from '../../../src/backends/host/run-notes.ts';

const count = fc.integer({ min: 1, max: 10_000 });
const cost = fc.record<RunCost>(
  {
    threads: count,
    slots: count,
    rows: count,
    ms: fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
    runs: count,
  },
  { noNullPrototype: true },
);

describe('parseRunNotes', () => {
  test('reads what formatRunNotes wrote', () => {
    fc.assert(
      fc.property(fc.array(cost, { maxLength: 50 }), (costs) => {
        assert.deepEqual(parseRunNotes(formatRunNotes(costs)), costs);
      }),
    );
  });

  for (const text of [
    '',
    'null',
    '[]',
    '{"version":2,"costs":[]}',
    '{"version":1}',
    '{"version":1,"costs":[[1,1,1,-1,1]]}',
    '{"version":1,"costs":[[1,1,0.5,1,1]]}',
    '{"version":1,"costs":[[1,1,1,"9",1]]}',
    '{"version":1,"costs":[{"threads":1}]}',
    `{"version":1,"costs":${JSON.stringify(Array(513).fill([1, 1, 1, 1, 1]))}}`,
  ]) {
    test(`reads nothing from ${text.slice(0, 60) || 'an empty file'}`, () => {
      assert.equal(parseRunNotes(text), undefined);
    });
  }

  test('never throws, whatever the file holds', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseRunNotes(text)));
  });
});
