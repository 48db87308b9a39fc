import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseInvocation } from '../../../src/cli/arguments.ts';
import { type BenchPlan, benchPlan } from '../../../src/cli/bench/bench-plan.ts';

function planOf(...argv: readonly string[]): BenchPlan {
  const invocation = parseInvocation(['bench', 'm', ...argv]);
  assert.equal(invocation.kind, 'call');
  return benchPlan((invocation as Extract<typeof invocation, { kind: 'call' }>).call, '/srv');
}

describe('benchPlan', () => {
  test('is a closed loop with binary bodies where nothing is said', () => {
    const plan = planOf();
    assert.deepEqual(
      plan.levels.map((level) => level.kind === 'concurrency' && level.connections),
      [1, 8, 32],
    );
    assert.equal(plan.body.kind, 'binary');
    assert.deepEqual(plan.rules, { warmUpMs: 1_000, windowMs: 2_000, maxWindows: 10, stabilityPercent: 10 });
  });

  test('takes rates, shapes, times and files', () => {
    const plan = planOf('--rate', '10,2.5', '--shape', 'a=1,2', '--shape=b=c=3', '--window', '500ms', '--csv', 'x.csv');
    assert.deepEqual(plan.levels, [
      { kind: 'rate', perSecond: 10 },
      { kind: 'rate', perSecond: 2.5 },
    ]);
    assert.deepEqual(
      [...plan.body.shapes],
      [
        ['a', [1, 2]],
        ['b=c', [3]],
      ],
    );
    assert.equal(plan.rules.windowMs, 500);
    assert.equal(plan.csvFile, '/srv/x.csv');
  });

  const refused: readonly [readonly string[], RegExp][] = [
    [['--rate', '5', '--concurrency', '1'], /two kinds of load/],
    [['--rate', '0'], /--rate must be a number from 0.01/],
    [['--rate', '5,'], /--rate must be a number .* got ''/],
    [['--concurrency', '1,two'], /--concurrency must be a whole number from 1 to 4096, got 'two'/],
    [['--window', '5'], /--window must be a time such as 250ms/],
    [['--window', '10ms'], /from 100 ms to an hour, got '10ms'/],
    [['--shape', 'x=1,-1'], /--shape must be an input and its dimensions/],
    [['--shape', '=3'], /--shape must be an input and its dimensions/],
    [['--body', 'xml'], /--body is 'xml'; expected one of binary, json, grpc$/],
    [['--grpc', 'localhost:8001'], /--grpc must be an http:\/\/ or https:\/\/ URL/],
    [['--request', 'x.json', '--body', 'grpc'], /cannot be sent with --body grpc/],
    [['--stability', '0'], /--stability must be a number from 0.1/],
  ];
  for (const [argv, reason] of refused) {
    test(`refuses ${argv.join(' ')}`, () => assert.throws(() => planOf(...argv), reason));
  }
});
