import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { AnswerOrder } from '../../../src/backends/batching/answer-order.ts';

describe('AnswerOrder', () => {
  test('lets every answer out once, in the order of entry, whatever the order of settling', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 40 }), (ranks) => {
        const order = new AnswerOrder<number>();
        const tickets = ranks.map((rank, at) => ({ rank, at, ticket: order.enter() }));
        const out = tickets.sort((a, b) => a.rank - b.rank).flatMap(({ ticket, at }) => order.settle(ticket, at));
        assert.deepEqual(out, [...ranks.keys()]);
      }),
    );
  });

  test('lets an answer out at once where nothing before it is missing', () => {
    const order = new AnswerOrder<string>();
    const first = order.enter();
    const second = order.enter();
    assert.deepEqual(order.settle(first, 'first'), ['first']);
    assert.deepEqual(order.settle(second, 'second'), ['second']);
    assert.throws(() => order.settle(second, 'again'));
  });
});
