import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, type AnswerKind, Ledger, type Verdict } from './ledger.ts';

const deadlineMs = 1_000;
const answer = (kind: AnswerKind, atMs = 10): Answer => ({ kind, atMs, router: 'r1', what: '' });

function verdictOf(prepare: (ledger: Ledger) => void): Verdict {
  const ledger = new Ledger(deadlineMs);
  ledger.sent(1, 'm', 0);
  prepare(ledger);
  const [entry] = ledger.entries;
  return ledger.verdict(entry!);
}

describe('the ledger', () => {
  const cases: readonly [Verdict, string, (ledger: Ledger) => void][] = [
    ['right', 'the answer in time', (ledger) => ledger.answered(1, answer('right'))],
    ['lost', 'no answer', () => {}],
    ['wrong', "another request's answer", (ledger) => ledger.answered(1, answer('wrong'))],
    ['late', 'an answer beyond the deadline', (ledger) => ledger.answered(1, answer('right', deadlineMs + 1))],
    ['refused', 'a refusal that nothing explains', (ledger) => ledger.answered(1, answer('refused'))],
    ['broken off', 'half an answer of a healthy router', (ledger) => ledger.answered(1, answer('begun'))],
  ];
  for (const [verdict, what, prepare] of cases) {
    test(`calls ${what} ${verdict}`, () => assert.equal(verdictOf(prepare), verdict));
  }

  test('calls two answers to one request duplicated', () => {
    const twice = (ledger: Ledger) => {
      ledger.answered(1, answer('right'));
      ledger.answered(1, answer('right'));
    };
    assert.equal(verdictOf(twice), 'duplicated');
  });

  test('calls it unheard when a client gave up a router that nothing was the matter with', () => {
    const moved = (ledger: Ledger) => {
      ledger.gaveUp(1, 'r2', 5);
      ledger.answered(1, answer('right'));
    };
    assert.equal(verdictOf(moved), 'unheard');
    assert.equal(
      verdictOf((ledger) => {
        ledger.allow('given up', 'r2', 0);
        moved(ledger);
      }),
      'right',
    );
  });

  test('allows a refusal of the model, and half an answer of the router, that the fault is about, while it lasts', () => {
    const judged = (of: string, untilMs: number, kind: 'refused' | 'begun') =>
      verdictOf((ledger) => {
        ledger.allow(kind, of, 0).untilMs = untilMs;
        ledger.answered(1, answer(kind));
      });
    assert.equal(judged('m', 20, 'refused'), 'allowed');
    assert.equal(judged('m', 5, 'refused'), 'refused');
    assert.equal(judged('another', 20, 'refused'), 'refused');
    assert.equal(judged('r1', 20, 'begun'), 'allowed');
    assert.equal(judged('r2', 20, 'begun'), 'broken off');
  });

  test('takes no answer to what was never sent', () => {
    assert.throws(() => new Ledger(deadlineMs).answered(7, answer('right')), /never sent/);
  });
});
