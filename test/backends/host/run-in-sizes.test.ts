import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SessionRuns } from '../../../src/backends/engines/session-runs.ts';
import { runInSizes } from '../../../src/backends/host/run-in-sizes.ts';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { echo, echoSignature, FakeModel } from './fake-model.ts';
import { send, serve, turns } from './served-copy.ts';

const column = (values: readonly number[]): Tensor => {
  const bytes = Uint8Array.from(values);
  return { name: 'x', datatype: 'UINT8', shape: [values.length, 1], parts: [bytes], byteLength: bytes.length };
};

describe('runInSizes', () => {
  test('runs pieces one after the other, fills the last one up, and joins what was asked for', async () => {
    const ran: number[][] = [];
    const run = async ([x]: readonly Tensor[]) => {
      ran.push([...Buffer.concat(x!.parts)]);
      return [{ ...x!, name: 'y' }];
    };
    const sizes = { splitRows: 3, allowedRows: [2, 3] };
    const [y] = await runInSizes([column([1, 2, 3, 4])], 4, sizes, run, 'm');
    assert.deepEqual(ran, [
      [1, 2, 3],
      [4, 4],
    ]);
    assert.deepEqual([...Buffer.concat(y!.parts)], [1, 2, 3, 4]);
    assert.deepEqual([y!.shape, y!.byteLength], [[4, 1], 4]);
  });

  test('refuses pieces that do not have the rows that went in', async () => {
    const run = () => Promise.resolve([column([9])]);
    await assert.rejects(runInSizes([column([1, 2, 3])], 3, { splitRows: 2 }, run, 'm'), { code: 'batch_not_split' });
  });

  test('refuses pieces whose outputs have rows of different lengths', async () => {
    const run = ([x]: readonly Tensor[]) => {
      const width = x!.shape[0]!;
      const bytes = new Uint8Array(width * width);
      return Promise.resolve([
        { name: 'y', datatype: 'UINT8' as const, shape: [width, width], parts: [bytes], byteLength: bytes.length },
      ]);
    };
    await assert.rejects(runInSizes([column([1, 2, 3])], 3, { splitRows: 2 }, run, 'm'), { code: 'batch_not_split' });
  });
});

describe('a copy that splits', () => {
  test('goes on with the first session where the one that it began with is given up between two parts', async () => {
    const first = new FakeModel({ signature: echoSignature, compute: echo, isQuick: true });
    const { copy } = serve(first, { maxBatchSize: 4, batching: { maxBatchRows: 2, splitRows: 2 } });
    const own = new SessionRuns();
    const second = new FakeModel({ signature: echoSignature, compute: echo, isQuick: true });
    const run = second.run.bind(second);
    second.run = async (...call) => {
      own.begin();
      return run(...call).finally(() => own.end());
    };
    let isGivenUp = false;
    copy.runs.model = () => (isGivenUp ? first : second);
    const names = ['a', 'bc', 'def'];
    const sent = send(copy, { x: [1, 2, 3, 4, 5, 6], names });
    for (let n = 0; second.runs.length === 0 && n < 100; n++) await turns(1);
    isGivenUp = true;
    await own.close();
    for (let n = 0; sent.outcome() === undefined && n < 100; n++) await turns();
    assert.deepEqual(sent.outcome(), { kind: 'answer', id: undefined, x: [1, 2, 3, 4, 5, 6], names });
    assert.deepEqual([second.runs.length, first.runs.length], [1, 1]);
  });

  test('answers a large request as one', async () => {
    const model = new FakeModel({ signature: echoSignature, compute: echo, isQuick: true });
    const { copy } = serve(model, { maxBatchSize: 4, batching: { maxBatchRows: 2, splitRows: 2 } });
    const names = ['a', 'bc', 'def'];
    const sent = send(copy, { x: [1, 2, 3, 4, 5, 6], names });
    for (let n = 0; sent.outcome() === undefined && n < 100; n++) await turns();
    assert.deepEqual(
      model.runs.map(({ inputs }) => inputs[0]!.shape),
      [
        [2, 2],
        [1, 2],
      ],
    );
    assert.deepEqual(sent.outcome(), { kind: 'answer', id: undefined, x: [1, 2, 3, 4, 5, 6], names });
  });
});
