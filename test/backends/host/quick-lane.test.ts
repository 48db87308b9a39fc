import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SkeinError } from '../../../src/protocol/errors.ts';
import type { Signature, Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { until } from '../../adapters/until.ts';
import { FakeModel } from './fake-model.ts';
import { type CopySettings, jsonBody, serve } from './served-copy.ts';

const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'INT32', shape: [-1, 1] }],
  outputs: [{ name: 'y', datatype: 'INT32', shape: [-1, 1] }],
};

const echo = ([x]: readonly Tensor[]): Tensor[] => {
  const bytes = Buffer.concat(x!.parts);
  return [{ ...x!, name: 'y', parts: [bytes], byteLength: bytes.length }];
};

/** The fake with runs on the event loop, whose rows it remembers. */
class HereModel extends FakeModel {
  readonly rowsHere: number[] = [];
  readonly runHere: (name: string, inputs: readonly Tensor[]) => Tensor[];

  constructor(run: (inputs: readonly Tensor[]) => Tensor[] = echo) {
    super({ signature, compute: echo, isQuick: true });
    this.runHere = (_name, inputs) => {
      this.rowsHere.push(inputs[0]!.shape[0]!);
      return run(inputs);
    };
  }
}

function serving(model: HereModel, settings?: CopySettings) {
  const { copy, statistics } = serve(model, settings);
  const ask = (...values: number[]) => {
    const inputs = [{ name: 'x', datatype: 'INT32', shape: [values.length, 1], data: values }];
    return new Promise<unknown>((resolve) => {
      copy.infer([Buffer.from(JSON.stringify({ inputs }))], jsonBody, 0, {
        reply: ({ parts }) => resolve(JSON.parse(Buffer.concat(parts).toString()).outputs[0].data),
        fail: (error) => resolve(error.code),
        drop: () => resolve('dropped'),
      });
    });
  };
  /** Until a thread was seen to be quick enough for a first try. */
  const learn = async () => {
    for (let i = 0; i < 50 && model.rowsHere.length === 0; i++) await ask(0);
    assert.ok(model.rowsHere.length > 0, 'no run on the event loop');
  };
  return { copy, statistics, ask, learn };
}

describe('runs on the event loop', () => {
  test('come after one on a thread that was short, and join what came in one turn', async () => {
    const model = new HereModel();
    const { ask, learn, copy, statistics } = serving(model);
    assert.deepEqual(await ask(7), [7]);
    assert.deepEqual([model.runs.length, model.rowsHere.length], [1, 0]);
    await learn();
    // The first runs of a process may be long ones: then threads have these rows until one of them was short.
    for (let i = 0; i < 500 && !model.rowsHere.includes(2); i++) {
      assert.deepEqual(await Promise.all([ask(1), ask(2)]), [[1], [2]]);
    }
    assert.ok(model.rowsHere.includes(2), `rows were ${model.rowsHere}`);
    assert.equal(copy.inFlight, 0);
    assert.equal(statistics.report(0).execution_count, model.runs.length + model.rowsHere.length);
  });

  test('are told of once they are known to be short', async () => {
    const { ask, copy } = serving(new HereModel());
    assert.deepEqual(copy.quick.report(), {});
    for (let i = 0; i < 300 && copy.quick.report().onEventLoop === undefined; i++) {
      await ask(i);
      await sleep(10); // one that was long is tried again after a second
    }
    assert.equal(copy.quick.report().onEventLoop?.rows, 1);
  });

  test('tell only the request that fails', async () => {
    let isHard = true;
    const model = new HereModel((inputs) => {
      if (isHard) throw new SkeinError('run_failed', { reason: 'it was hard' });
      return echo(inputs);
    });
    const { ask, copy } = serving(model);
    const answers: unknown[] = [];
    for (let i = 0; i < 50 && !answers.includes('run_failed'); i++) answers.push(await ask(i));
    assert.deepEqual(answers, [...answers.slice(0, -1).map((_, i) => [i]), 'run_failed']);
    isHard = false;
    assert.deepEqual(await ask(2), [2]);
    assert.equal(copy.inFlight, 0);
  });

  test('are none where the rows of one would be padded, or run in pieces', async () => {
    for (const batching of [{ allowedRows: [2, 8] }, { splitRows: 4 }]) {
      const model = new HereModel();
      const { ask } = serving(model, { batching });
      for (let i = 0; i < 20; i++) assert.deepEqual(await ask(i), [i]);
      assert.deepEqual(model.rowsHere, []);
    }
  });

  test('wait for one on a thread where the user wrote how many may be under way', async () => {
    const model = new HereModel();
    const { ask, learn } = serving(model, { slotsAreGiven: true });
    await learn();
    await until('a turn', () => model.running === 0);
    assert.deepEqual(await ask(3), [3]);
  });
});
