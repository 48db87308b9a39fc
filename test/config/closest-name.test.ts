import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { closestName } from '../../src/config/closest-name.ts';

describe('closestName', () => {
  const names = ['memory', 'models', 'host', 'http', 'hold-max'];

  test('finds what a slip of the fingers meant', () => {
    const meant = ['memroy', 'memor', 'model', 'modles', 'htpp', 'holdmax', 'MEMORY'.toLowerCase()].map((name) =>
      closestName(name, names),
    );
    assert.deepEqual(meant, ['memory', 'memory', 'models', 'models', 'http', 'hold-max', 'memory']);
  });

  test('finds nothing for a name that is near none', () => {
    assert.deepEqual(
      ['verbose', 'x', '', 'replicas'].map((name) => closestName(name, names)),
      [undefined, undefined, undefined, undefined],
    );
  });
});
