import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { denseAnswerToOnes } from '../fixtures/many-models.ts';
import { chaosRequest, faultOf, modelBytes } from './chaos-request.ts';

const ones = denseAnswerToOnes(modelBytes);

/** What a server answers that does everything right, but for what is asked for. */
function answerTo(number: number, rows: readonly number[], model: number): [Buffer, number] {
  const tensors = [
    { name: 'output', values: rows.flatMap((row) => ones.map((one) => row * one)) },
    { name: 'index', values: rows.map(() => model) },
  ];
  const outputs = tensors.map(({ name, values }) => ({ name, parameters: { binary_data_size: 4 * values.length } }));
  const head = Buffer.from(JSON.stringify({ id: `${number}`, outputs }));
  const bodies = tensors.map(({ values }) => Buffer.from(Float32Array.from(values).buffer));
  return [Buffer.concat([head, ...bodies]), head.length];
}

describe('the check of an answer', () => {
  const request = chaosRequest(5, 'model_012');

  test('takes the right one', () => {
    assert.equal(faultOf(request, ...answerTo(5, request.rows, 12)), undefined);
  });

  test('refuses that of another request, model, or row, and one of another size', () => {
    const other = chaosRequest(6, 'model_012').rows;
    assert.match(faultOf(request, ...answerTo(6, request.rows, 12))!, /request 6/);
    assert.match(faultOf(request, ...answerTo(5, request.rows, 13))!, /model 13/);
    assert.match(
      faultOf(request, ...answerTo(5, [...request.rows.slice(1), ...other.slice(0, 1)], 12))!,
      /wrong|shape/,
    );
    assert.match(faultOf(request, ...answerTo(5, request.rows.slice(1), 12))!, /shape/);
    const [body, head] = answerTo(5, request.rows, 12);
    assert.match(faultOf(request, Buffer.concat([body, body]), head)!, /bytes/);
  });
});
