import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { cutPadding, paddedRows, padInputs } from '../../../src/backends/host/batch-padding.ts';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { echo, echoSignature, FakeModel } from './fake-model.ts';
import { send, serve, turns } from './served-copy.ts';

const bytes = (name: string, rows: readonly (readonly string[])[]): Tensor => {
  const all = Buffer.concat(
    rows.flat().map((text) => Buffer.concat([Uint8Array.of(text.length, 0, 0, 0), Buffer.from(text)])),
  );
  const at = Math.floor(all.length / 2);
  const parts = [all.subarray(0, at), all.subarray(at)];
  return { name, datatype: 'BYTES', shape: [rows.length, rows[0]!.length], parts, byteLength: all.length };
};

test('paddedRows is the smallest allowed size that holds the rows', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((rows) => paddedRows(rows, [2, 4])),
    [2, 2, 4, 4, 5],
  );
});

describe('padInputs', () => {
  test('fills up with the first row, which cutPadding takes away again', () => {
    const row = fc.tuple(fc.stringMatching(/^[a-z]{0,5}$/), fc.stringMatching(/^[a-z]{0,5}$/));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 4 }), (rows, more) => {
        const tensor = bytes('x', rows);
        const padded = rows.length + more;
        const [filled] = padInputs([tensor], rows.length, padded);
        assert.deepEqual(filled!.shape, [padded, 2]);
        const all = bytes('x', [...rows, ...Array.from({ length: more }, () => rows[0]!)]);
        assert.deepEqual(Buffer.concat(filled!.parts), Buffer.concat(all.parts));
        assert.equal(filled!.byteLength, all.byteLength);
        const cut = cutPadding(filled!, rows.length, padded, 'm');
        assert.deepEqual(Buffer.concat(cut.parts), Buffer.concat(tensor.parts));
      }),
    );
  });

  test('refuses an output that does not have the rows that went in', () => {
    assert.throws(() => cutPadding(bytes('y', [['a']]), 1, 2, 'm'), { code: 'batch_not_split' });
  });
});

describe('a copy with allowed sizes', () => {
  test('runs batches of those sizes, and answers what was asked', async () => {
    const model = new FakeModel({ signature: echoSignature, compute: echo, isQuick: true });
    const { copy } = serve(model, { maxBatchSize: 4, batching: { allowedRows: [2, 4] } });
    const one = send(copy, { x: [1, 2], names: ['a'] });
    await turns(6);
    assert.deepEqual(model.runs[0]!.inputs[0]!.shape, [2, 2]);
    assert.deepEqual(one.outcome(), { kind: 'answer', id: undefined, x: [1, 2], names: ['a'] });
    const three = send(copy, { x: [1, 2, 3, 4, 5, 6], names: ['a', 'b', 'c'] });
    await turns(6);
    assert.deepEqual(model.runs[1]!.inputs[0]!.shape, [4, 2]);
    assert.deepEqual(three.outcome(), { kind: 'answer', id: undefined, x: [1, 2, 3, 4, 5, 6], names: ['a', 'b', 'c'] });
  });

  test('refuses a request of more rows than it may have', async () => {
    const model = new FakeModel({ signature: echoSignature, compute: echo, isQuick: true });
    const { copy } = serve(model, { maxBatchSize: 4, batching: { maxRequestRows: 1 } });
    const sent = send(copy, { x: [1, 2, 3, 4], names: ['a', 'b'] });
    const outcome = sent.outcome();
    assert.ok(outcome?.kind === 'error');
    assert.equal(outcome.error.message, 'Task size 2 is larger than maximum input batch size 1');
    assert.equal(copy.inFlight, 0);
  });
});
