import assert from 'node:assert/strict';
import { afterEach, describe, mock, test } from 'node:test';
import { settingKey } from '../../../src/backends/batching/run-setting.ts';
import { Calibrator } from '../../../src/backends/host/calibrator.ts';
import type { Copy } from '../../../src/backends/host/copy.ts';
import { CoreShare } from '../../../src/backends/host/core-share.ts';
import type { Signature } from '../../../src/protocol/tensors/tensor.ts';
import { FakeModel } from './fake-model.ts';
import { type ServedCopy, serve, turns } from './served-copy.ts';

/** As if so much time had passed. */
function pass(ms: number): void {
  const now = performance.now.bind(performance);
  mock.method(performance, 'now', () => now() + ms);
}

const numbers: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
};
const words: Signature = {
  inputs: [{ name: 'x', datatype: 'BYTES', shape: [-1, 1] }],
  outputs: [{ name: 'y', datatype: 'BYTES', shape: [-1, 1] }],
};

function modelOf(signature: Signature, isQuick = true): FakeModel {
  return new FakeModel({
    signature,
    compute: (inputs, wanted) => wanted.map((name) => ({ ...inputs[0]!, name })),
    isQuick,
  });
}

const layouts = [
  { threads: 2, slots: 1 },
  { threads: 2, slots: 2 },
];

/** What the copy's own traffic has come to. */
const layoutRun = { threads: 2, slots: 1, rows: 1 };

interface Calibrated {
  readonly calibrator: Calibrator;
  readonly served: ServedCopy;
  readonly cores: CoreShare;
}

/** A copy of two cores that was used for so long, with up to so many rows at once, and is idle now. */
function calibrate(
  t: { after(hook: () => void): void },
  model: FakeModel,
  usedMs: number,
  waiting: number,
): Calibrated {
  const cores = new CoreShare(2);
  const served = serve(model, { layouts, cores });
  const { runs } = served.copy;
  runs.plan(waiting, 0, Infinity, 0);
  runs.totalMs = usedMs;
  if (usedMs > 0) runs.planner.costs.learn(layoutRun, 1, false);
  const calibrator = new Calibrator(cores, () => [served.copy]);
  t.after(() => calibrator.stop());
  pass(1e6);
  return { calibrator, served, cores };
}

const known = ({ runs }: Copy) => runs.planner.costs.all().map(settingKey);

afterEach(() => mock.restoreAll());

describe('Calibrator', () => {
  test('measures, one setting at a time, what so many requests can come to, and then no more', async (t) => {
    const { calibrator, served } = calibrate(t, modelOf(numbers), 1e6, 2);
    for (let i = 0; i < 8; i++) await calibrator.look();
    assert.deepEqual(known(served.copy), ['2.1.1', '2.2.1', '2.1.2']);
    assert.equal(served.copy.runs.calibration.isOver, true);
    assert.equal(served.copy.runs.peakRows, 2);
  });

  test('leaves models alone that were hardly used, and those that run', async (t) => {
    const hardly = calibrate(t, modelOf(numbers), 0, 4);
    await hardly.calibrator.look();
    assert.deepEqual(known(hardly.served.copy), []);
    const busy = calibrate(t, modelOf(numbers), 1e6, 4);
    busy.cores.take({ copy: 'another', cores: 1, overdraw: false }, () => true);
    await busy.calibrator.look();
    assert.deepEqual(known(busy.served.copy), ['2.1.1']);
  });

  test('makes way at once for a request of whatever model, and tries again later', async (t) => {
    const model = modelOf(numbers, false);
    const { calibrator, served, cores } = calibrate(t, model, 1e6, 2);
    const looked = calibrator.look();
    await turns();
    assert.equal(model.runs[0]!.signal!.aborted, false);
    cores.take({ copy: 'another', cores: 1, overdraw: false }, () => true);
    assert.equal(model.runs[0]!.signal!.aborted, true);
    await looked;
    assert.deepEqual([known(served.copy), served.copy.runs.calibration.isOver], [['2.1.1'], false]);
  });

  test('learns nothing of a model whose inputs cannot be made up, and does not try again', async (t) => {
    const { calibrator, served } = calibrate(t, modelOf(words), 1e6, 4);
    await calibrator.look();
    assert.deepEqual([known(served.copy), served.copy.runs.calibration.isOver], [['2.1.1'], true]);
  });

  test('does not count as use', async (t) => {
    const { calibrator, served } = calibrate(t, modelOf(numbers), 1e6, 1);
    await calibrator.look();
    assert.equal(served.statistics.report(0).execution_count, 0);
    assert.equal(served.copy.inFlight, 0);
  });
});
