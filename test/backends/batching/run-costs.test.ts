import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RunCosts } from '../../../src/backends/batching/run-costs.ts';

const one = { threads: 2, slots: 1, rows: 1 };
const two = { threads: 1, slots: 2, rows: 1 };

function learn(costs: RunCosts, setting: typeof one, ms: number, runs: number, isTrial = false): void {
  for (let i = 0; i < runs; i++) costs.learn(setting, ms, isTrial);
}

describe('RunCosts', () => {
  test('tells rows per second of all slots together', () => {
    const costs = new RunCosts();
    learn(costs, { ...two, rows: 4 }, 20, 3);
    assert.equal(costs.rowsPerSecond({ ...two, rows: 4 }), 400);
    assert.equal(costs.rowsPerSecond(one), undefined);
  });

  test('follows what it is told, within the memory of its runs', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.2, max: 6, noNaN: true }), (ms) => {
        const costs = new RunCosts();
        learn(costs, one, 1, 3);
        learn(costs, one, ms, 400, false);
        const seen = 1000 / costs.rowsPerSecond(one)!;
        assert.ok(Math.abs(seen - ms) <= 0.01 * Math.max(1, ms), `${seen} for ${ms}`);
      }),
    );
  });

  test('holds a setting that was not seen while the machine was busy against the others as if it had been', () => {
    const costs = new RunCosts();
    learn(costs, one, 10, 20);
    learn(costs, two, 22, 5);
    learn(costs, one, 20, 40); // everything takes twice as long now
    assert.ok(costs.drift > 1.7);
    const [present, other] = [costs.rowsPerSecond(one)!, costs.rowsPerSecond(two)!];
    assert.ok(other < present, `${other} against ${present}`);
    assert.ok(Math.abs(present - 50) < 3);
  });

  test('learns in a trial how much the other suffers from what the machine does beside', () => {
    const costs = new RunCosts();
    learn(costs, one, 10, 20);
    learn(costs, two, 22, 5);
    learn(costs, one, 20, 40);
    costs.doubt(two);
    learn(costs, two, 30, 12, true);
    assert.ok(costs.rowsPerSecond(two)! > costs.rowsPerSecond(one)!);
  });

  test('is the same after a restart', () => {
    const costs = new RunCosts();
    learn(costs, one, 10, 20);
    learn(costs, two, 22, 5);
    const again = new RunCosts();
    again.restore(costs.all());
    assert.deepEqual(again.all(), costs.all());
  });

  test('remembers no more than so many settings, whatever it is told', () => {
    const costs = new RunCosts();
    for (let rows = 1; rows <= 2_000; rows++) costs.learn({ ...one, rows }, 1, false);
    assert.equal(costs.all().length, 512);
  });
});
