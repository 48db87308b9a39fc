import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isShown } from './shown-output.ts';

describe('isShown', () => {
  test('allows other numbers, units, backends and wider columns', () => {
    assert.ok(isShown('text', 'b1  took 1.5 s, 3 rows', 'b2     took 20 ms, 400 rows\n'));
  });
  test('allows anything where the page has an ellipsis', () => {
    assert.ok(isShown('text', 'a … z', 'a b\nc z'));
    assert.ok(isShown('json', '{"a":"…"}', '{"a":[1]}'));
  });
  test('allows fractions to differ a little in JSON', () => {
    assert.ok(isShown('json', '{"a":[0.9999]}', '{"a":[0.9998]}'));
  });
  test('finds other words, numbers and members', () => {
    assert.ok(!isShown('text', 'it is ready', 'it is not ready'));
    assert.ok(!isShown('text', '(a.b)', '(a-b)'));
    assert.ok(!isShown('json', '{"a":1}', '{"a":2}'));
    assert.ok(!isShown('json', '{"a":1}', '{"a":1,"b":2}'));
    assert.ok(!isShown('json', '{"a":"x"}', '{"a":"y"}'));
  });
});
