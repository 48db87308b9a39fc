import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readTurnedAway, turnedAway, turnedAwayName } from '../../src/fleet/turned-away.ts';

describe('readTurnedAway', () => {
  test('reads what was written', () => {
    const record = { role: 'router', id: 'r1', instance: 'i', software: '1', url: 'http://h:1' } as const;
    const written = turnedAway(record);
    assert.deepEqual(readTurnedAway(JSON.parse(JSON.stringify(written))), {
      role: 'router',
      id: 'r1',
      where: 'http://h:1',
    });
    assert.equal(turnedAwayName(written), 'router/r1');
  });

  test('passes over what it cannot use', () => {
    for (const value of [null, 7, {}, { role: 'other', id: 'x' }, { role: 'backend', id: 7 }]) {
      assert.equal(readTurnedAway(value), undefined);
    }
  });
});
