import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  defaultDivisionOptions,
  divideBudget,
  type ProcessMemory,
} from '../../../src/backends/memory/divide-budget.ts';

const total = 6_400;
const third = 2_133;

function onnx(facts: Partial<ProcessMemory> = {}): ProcessMemory {
  return { ...empty, id: 'b1', engine: 'onnx', limitBytes: total, ceilingBytes: total, ...facts };
}

function tensorflow(facts: Partial<ProcessMemory> = {}): ProcessMemory {
  return { ...empty, id: 't1', engine: 'tensorflow', limitBytes: 0, ceilingBytes: total, ...facts };
}

const empty = { usedBytes: 0, queuedBytes: 0, evictionPrice: 0 };

function divide(processes: readonly ProcessMemory[], options = defaultDivisionOptions): Record<string, number> {
  return Object.fromEntries(divideBudget(total, processes, options));
}

/** Processes that do as they are told: they evict at once, and load what waits as soon as they may. */
function settle(start: readonly ProcessMemory[], rounds = 200): ProcessMemory[] {
  let processes = [...start];
  for (let i = 0; i < rounds; i++) {
    const limits = divideBudget(total, processes);
    processes = processes.map((one) => {
      const limitBytes = limits.get(one.id)!;
      const kept = { ...one, limitBytes, usedBytes: Math.min(one.usedBytes, limitBytes) };
      if (kept.usedBytes + kept.queuedBytes > limitBytes) return kept;
      return { ...kept, usedBytes: kept.usedBytes + kept.queuedBytes, queuedBytes: 0 };
    });
  }
  return processes;
}

describe('divideBudget', () => {
  test('leaves all of it to the only engine that runs', () => {
    assert.deepEqual(divide([onnx({ usedBytes: 500 })]), { b1: total });
    const half = total / 2;
    const two = ['b1', 'b2'].map((id) =>
      onnx({ id, limitBytes: half, ceilingBytes: half, usedBytes: half, evictionPrice: 1 }),
    );
    assert.deepEqual(divide(two), { b1: half, b2: half });
  });

  test('gives a process that comes what its loads need, at once where nobody has to go for it', () => {
    const limits = divide([onnx({ usedBytes: 1_000 }), tensorflow({ queuedBytes: 800, evictionPrice: Infinity })]);
    assert.ok(limits['t1']! >= 800, JSON.stringify(limits));
    assert.equal(limits['t1']! + limits['b1']!, total);
  });

  test('has the cheaper engine give way first, and hands out only what it has freed', () => {
    const full = onnx({ usedBytes: total, evictionPrice: 2 });
    const waiting = tensorflow({ queuedBytes: 800, evictionPrice: Infinity });
    const first = divide([full, waiting]);
    assert.deepEqual(first, { b1: total - 800, t1: 0 });
    const giving = { ...full, limitBytes: total - 800 };
    assert.deepEqual(divide([giving, waiting]), first, 'nothing more is asked while it is on its way');
    const freed = { ...giving, usedBytes: total - 800 };
    assert.equal(divide([freed, waiting])['t1'], 800);
  });

  test('takes nothing from copies that are worth as much', () => {
    const limits = divide([
      onnx({ limitBytes: 5_000, usedBytes: 5_000, evictionPrice: 2 }),
      tensorflow({ limitBytes: 1_400, usedBytes: 1_400, queuedBytes: 300, evictionPrice: 2.1 }),
    ]);
    assert.deepEqual(limits, { b1: 5_000, t1: 1_400 });
  });

  test('moves a step for the price alone, until no process is the dearer one', () => {
    const rich = onnx({ limitBytes: 3_200, usedBytes: 3_200, evictionPrice: 10 });
    const poor = tensorflow({ limitBytes: 3_200, usedBytes: 3_200, evictionPrice: 1 });
    assert.deepEqual(divide([rich, poor]), { b1: 3_200, t1: 3_100 });
    assert.deepEqual(divide([rich, poor], { ...defaultDivisionOptions, stepShare: 0 }), { b1: 3_200, t1: 3_200 });
    assert.deepEqual(divide([rich, { ...poor, evictionPrice: 8 }]), { b1: 3_200, t1: 3_200 });
  });

  test('gives back what a process does not need any more', () => {
    const limits = divide([
      onnx({ limitBytes: 2_000, usedBytes: 2_000, evictionPrice: 1 }),
      tensorflow({ limitBytes: 4_400, usedBytes: 100 }),
    ]);
    assert.ok(limits['b1']! >= 2_400, JSON.stringify(limits));
    assert.deepEqual(divide([onnx({ limitBytes: 2_000, usedBytes: 2_000, evictionPrice: 1 })]), { b1: total });
  });

  test('comes to an end in which loads have what they need, where the other engine is worth less', () => {
    const [settledOnnx, settledTensorflow] = settle([
      onnx({ usedBytes: total, evictionPrice: 1 }),
      tensorflow({ queuedBytes: 2_000, evictionPrice: Infinity }),
    ]);
    assert.equal(settledTensorflow!.queuedBytes, 0);
    assert.ok(settledOnnx!.limitBytes + settledTensorflow!.limitBytes <= total);
  });

  test('never gives more than there is, nor anybody more than it may have, whatever they say', () => {
    const bytes = fc.integer({ min: 0, max: total });
    const one = (id: string, engine: string) =>
      fc.record({
        id: fc.constant(id),
        engine: fc.constant(engine),
        limitBytes: fc.integer({ min: 0, max: third }),
        ceilingBytes: fc.integer({ min: third, max: total }),
        usedBytes: bytes,
        queuedBytes: bytes,
        evictionPrice: fc.oneof(fc.constant(0), fc.constant(Infinity), fc.double({ min: 0, max: 10, noNaN: true })),
      });
    fc.assert(
      fc.property(one('b1', 'onnx'), one('b2', 'onnx'), one('t1', 'tensorflow'), (...processes) => {
        const limits = divideBudget(total, processes);
        let sum = 0;
        for (const { id, ceilingBytes } of processes) {
          const limit = limits.get(id)!;
          assert.ok(limit >= 0 && limit <= ceilingBytes, `${id}: ${limit} of ${ceilingBytes}`);
          sum += limit;
        }
        assert.ok(sum <= total, `${sum} of ${total}`);
      }),
    );
  });
});
