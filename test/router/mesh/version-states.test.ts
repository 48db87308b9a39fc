import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { ModelEntry } from '../../../src/router/mesh/model-entry.ts';
import { versionStates } from '../../../src/router/mesh/version-states.ts';

function entryOf(versions: readonly number[]): ModelEntry {
  const entry = new ModelEntry('m');
  entry.repository = {
    ...{ name: 'm', path: '/m', layout: 'directory', versions, versionStamps: versions.map(String) },
    ...{ stamp: 's', hasConfig: false, labels: new Map([['stable', 1]]) },
  };
  return entry;
}

test('versionStates has every served version as available, newest first, loaded or not', () => {
  assert.deepEqual(versionStates(entryOf([1, 3])), [
    { version: 3, state: 'AVAILABLE' },
    { version: 1, state: 'AVAILABLE' },
  ]);
  assert.deepEqual(versionStates(new ModelEntry('none')), []);
});

test('versionStates tells of a version that failed to load, until its files change', () => {
  const entry = entryOf([1, 3]);
  const error = new SkeinError('load_failed', { model: 'm', version: 3, reason: 'broken' });
  entry.active().failures.remember(3, '3', error, 0);
  assert.deepEqual(versionStates(entry)[0], { version: 3, state: 'END', fault: error.message });
  entry.active().failures.remember(1, 'another', error, 0);
  assert.deepEqual(versionStates(entry)[1], { version: 1, state: 'AVAILABLE' });
});

test('versionStates has nothing of a model that was unloaded by request', () => {
  const entry = entryOf([1]);
  entry.isUnloaded = true;
  assert.deepEqual(versionStates(entry), []);
});

test('ModelEntry.labels are those of the repository', () => {
  assert.equal(entryOf([1]).labels.get('stable'), 1);
  assert.equal(new ModelEntry('none').labels.size, 0);
});
