import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Measurements } from '../../../src/backends/memory/measurements.ts';

const key = (digest: string) => ({ digest, engine: 'onnx', device: 'cpu' });
const seen = (residentBytes: number, loadMs = 30, runPeakBytes = 0) => ({ residentBytes, loadMs, runPeakBytes });

describe('Measurements', () => {
  test('remembers the last used of a bounded number of models', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ digest: fc.nat(9), learns: fc.boolean() }), { maxLength: 60 }), (steps) => {
        const table = new Measurements(4);
        let newest: number[] = [];
        for (const { digest, learns } of steps) {
          const known = newest.includes(digest);
          if (learns) table.learn(key(String(digest)), seen(digest));
          else assert.equal(table.find(key(String(digest)))?.residentBytes, known ? digest : undefined);
          if (learns || known) newest = [...newest.filter((one) => one !== digest), digest].slice(-4);
        }
      }),
    );
  });

  test('believes a larger size at once and a smaller one by and by', () => {
    const table = new Measurements(4);
    table.learn(key('m'), seen(100));
    assert.equal(table.learn(key('m'), seen(200)).residentBytes, 200);
    assert.equal(table.learn(key('m'), seen(100)).residentBytes, 150);
  });

  test('smooths load times and keeps the highest peak', () => {
    const table = new Measurements(4);
    table.learn(key('m'), seen(1, 100, 7));
    assert.deepEqual(table.learn(key('m'), seen(1, 200, 5)), { residentBytes: 1, loadMs: 150, runPeakBytes: 7 });
  });

  test('does not take one engine for another', () => {
    const table = new Measurements(4);
    table.learn(key('m'), seen(1));
    assert.equal(table.find({ ...key('m'), device: 'cuda:0' }), undefined);
  });
});
