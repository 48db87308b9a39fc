import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isMisnamedVersion, servedVersions, versionNumber } from '../../../src/fleet/repository/version-policy.ts';

describe('versionNumber', () => {
  for (const [name, version] of [
    ['1', 1],
    ['20240131', 20240131],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740993', undefined],
    ['0', undefined],
    ['01', undefined],
    ['-1', undefined],
    ['1a', undefined],
    ['1.5', undefined],
    [' 1', undefined],
    ['warmup', undefined],
    ['', undefined],
  ] as const) {
    test(`takes '${name}' as ${version}`, () => assert.equal(versionNumber(name), version));
  }
});

describe('isMisnamedVersion', () => {
  test('tells what looks like a version from what lies beside the versions', () => {
    const names = ['1', '01', '0', '2-old', 'warmup', 'initial_state', 'configs', 'assets'];
    assert.deepEqual(names.filter(isMisnamedVersion), ['01', '0', '2-old']);
  });
});

describe('servedVersions', () => {
  const onDisk = [10, 2, 1, 10];

  test('gives the highest numbers, ascending, by number and not by name', () => {
    assert.deepEqual(servedVersions(onDisk, { kind: 'latest', count: 1 }), [10]);
    assert.deepEqual(servedVersions(onDisk, { kind: 'latest', count: 2 }), [2, 10]);
    assert.deepEqual(servedVersions(onDisk, { kind: 'latest', count: 9 }), [1, 2, 10]);
  });

  test('gives all, or those that are named and there', () => {
    assert.deepEqual(servedVersions(onDisk, { kind: 'all' }), [1, 2, 10]);
    assert.deepEqual(servedVersions(onDisk, { kind: 'specific', versions: [10, 3, 1] }), [1, 10]);
  });

  test('gives none where there is none', () => {
    for (const policy of [
      { kind: 'latest', count: 1 },
      { kind: 'all' },
      { kind: 'specific', versions: [1] },
    ] as const) {
      assert.deepEqual(servedVersions([], policy), []);
    }
  });
});
