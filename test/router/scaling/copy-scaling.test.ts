import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CopyScaling } from '../../../src/router/scaling/copy-scaling.ts';
import { defaultScalingOptions } from '../../../src/router/scaling/options.ts';
import { describeDecision, noCopyLimits, type ScaledModel } from '../../../src/router/scaling/snapshot.ts';

const { tickMs } = defaultScalingOptions;

const steps = fc.array(
  fc.record({
    readyCopies: fc.integer({ min: 0, max: 5 }),
    comingCopies: fc.integer({ min: 0, max: 2 }),
    slotsPerCopy: fc.integer({ min: 0, max: 4 }),
    inFlight: fc.integer({ min: 0, max: 500 }),
    held: fc.integer({ min: 0, max: 100 }),
    arrivals: fc.integer({ min: 0, max: 500 }),
    times: fc.integer({ min: 1, max: 60 }),
  }),
  { maxLength: 8 },
);
const limits = fc.record({
  minCopies: fc.integer({ min: 0, max: 4 }),
  maxCopies: fc.integer({ min: 0, max: 6 }),
  pinned: fc.boolean(),
  maxIdleMs: fc.constantFrom(0, 1_000, 60_000),
});

function model(changes: Partial<ScaledModel>): ScaledModel {
  const nothing = { readyCopies: 0, comingCopies: 0, inFlight: 0, held: 0, arrivals: 0 };
  return { name: 'm', slotsPerCopy: 1, limits: noCopyLimits, ...nothing, ...changes };
}

describe('CopyScaling', () => {
  test('wants what the limits and the fleet allow, and a copy wherever a request is', () => {
    fc.assert(
      fc.property(steps, limits, fc.integer({ min: 1, max: 6 }), (sequence, wished, backends) => {
        const scaling = new CopyScaling();
        let nowMs = 0;
        for (const { times, ...step } of sequence) {
          for (let time = 0; time < times; time++) {
            nowMs += tickMs;
            const now = model({ ...step, limits: wished });
            const decision = scaling.tick({ models: [now], backends, hosts: backends, routers: 2 }, nowMs)[0]!;
            const most = Math.min(wished.maxCopies || Infinity, backends);
            assert.ok(decision.wanted <= most, 'at most');
            assert.ok(decision.wanted >= Math.min(wished.minCopies, most), 'at least');
            if (step.inFlight + step.held > 0 && step.readyCopies + step.held > 0) assert.ok(decision.wanted >= 1);
            assert.ok(Number.isInteger(decision.wanted) && describeDecision(decision).includes('wants'));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('decides the same for the same ticks, whatever other models do', () => {
    fc.assert(
      fc.property(steps, steps, (own, other) => {
        const [alone, beside] = [new CopyScaling(), new CopyScaling()];
        const flat = (sequence: typeof own) =>
          sequence.flatMap(({ times, ...step }) => Array.from({ length: times }, () => step));
        const others = flat(other);
        flat(own).forEach((step, at) => {
          const nowMs = (at + 1) * tickMs;
          const own = model(step);
          const models = [model({ ...others[at % Math.max(1, others.length)], name: 'other' }), own];
          const [first] = alone.tick({ models: [own], backends: 4, hosts: 4, routers: 1 }, nowMs);
          assert.deepEqual(beside.tick({ models, backends: 4, hosts: 4, routers: 1 }, nowMs)[1], first);
        });
      }),
      { numRuns: 30 },
    );
  });

  test('wants no fewer copies for more load', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200 }), (load, more) => {
        const wish = (inFlight: number) => {
          const scaling = new CopyScaling();
          let wanted = 0;
          for (let nowMs = tickMs; nowMs <= 60_000; nowMs += tickMs) {
            const models = [model({ readyCopies: Math.max(1, wanted), inFlight })];
            wanted = scaling.tick({ models, backends: 100, hosts: 100, routers: 1 }, nowMs)[0]!.wanted;
          }
          return wanted;
        };
        assert.ok(wish(load + more) >= wish(load));
      }),
      { numRuns: 20 },
    );
  });

  test('wants no copy for load that would share the cores of another, but those that the operator wants', () => {
    const wanted = (minCopies: number) => {
      const scaling = new CopyScaling();
      const limits = { ...noCopyLimits, minCopies };
      const models = [model({ readyCopies: 1, inFlight: 500, limits })];
      const fleet = { models, backends: 2, hosts: 1, routers: 1 };
      for (let nowMs = 250; nowMs < 5_000; nowMs += 250) scaling.tick(fleet, nowMs);
      return scaling.tick(fleet, 5_000)[0]!.wanted;
    };
    assert.deepEqual([wanted(0), wanted(2)], [1, 2]);
  });

  test('a late tick counts for the time that it covers', () => {
    const scaling = new CopyScaling();
    const tick = (nowMs: number, inFlight: number) =>
      scaling.tick({ models: [model({ readyCopies: 1, inFlight })], backends: 3, hosts: 3, routers: 1 }, nowMs)[0]!;
    tick(250, 0);
    const late = tick(5_250, 2);
    assert.ok(Math.abs(late.stableLoad - (2 * 5_000) / 5_250) < 1e-9, `${late.stableLoad}`);
  });

  test('remembers models for as long as they are named', () => {
    const scaling = new CopyScaling();
    const models = Array.from({ length: 100 }, (_, at) => model({ name: `m${at}`, readyCopies: 1, inFlight: 1 }));
    scaling.tick({ models, backends: 3, hosts: 3, routers: 1 }, tickMs);
    assert.equal(scaling.size, 100);
    assert.equal(scaling.isQuiet('m1', tickMs), false);
    scaling.tick({ models: models.slice(0, 10), backends: 3, hosts: 3, routers: 1 }, 2 * tickMs);
    assert.equal(scaling.size, 10);
    assert.equal(scaling.isQuiet('m99', 2 * tickMs), true);
    assert.equal(scaling.isQuiet('m1', 10 * 60_000), true);
  });
});
