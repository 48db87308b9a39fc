import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LatencyModel } from '../../../src/backends/batching/latency-model.ts';

describe('LatencyModel', () => {
  test('finds the line that the runs lie on', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        (a, b) => {
          const model = new LatencyModel();
          for (let run = 0; run < 200; run++) model.learn(1 + (run % 8), a + b * (1 + (run % 8)));
          for (const rows of [1, 4, 16])
            assert.ok(Math.abs(model.runMs(rows) - (a + b * rows)) < 1e-6 * (1 + a + b * rows));
        },
      ),
    );
  });

  test('is never negative and never falls with rows, whatever it was told', () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: 1, max: 64 }), fc.double({ min: 0, max: 1e4, noNaN: true })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(runs, (seen) => {
        const model = new LatencyModel();
        for (const [rows, ms] of seen) model.learn(rows, ms);
        for (let rows = 1; rows < 64; rows++)
          assert.ok(model.runMs(rows) >= -1e-6 && model.runMs(rows + 1) >= model.runMs(rows) - 1e-9);
      }),
    );
  });

  test('follows a copy that has become slower', () => {
    const model = new LatencyModel();
    for (let run = 0; run < 500; run++) model.learn(1, 5);
    for (let run = 0; run < 200; run++) model.learn(1, 50);
    assert.ok(model.runMs(1) > 45);
  });
});
