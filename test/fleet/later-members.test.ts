import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readEntry } from '../../src/fleet/catalogue-entry.ts';
import { laterMembers, withLater } from '../../src/fleet/later-members.ts';
import { modelRecord } from './registry.contract.ts';

const model = modelRecord('m');

describe('members of an entry that a newer version wrote', () => {
  test('are those that an entry of this version never has', () => {
    assert.equal(laterMembers({ ...model, pinned: false, labels: {}, unloaded: false }), undefined);
    assert.equal(laterMembers(readEntry({ kind: 'route', name: 'r', targets: [{ model: 'm' }] })), undefined);
    assert.deepEqual(laterMembers({ ...model, tier: 2, toString: 1 }), { tier: 2, toString: 1 });
  });

  test('are written back with a change, and stand above nothing that it says', () => {
    const before = { entry: model, revision: 1, later: { tier: 2, pinned: false } };
    assert.deepEqual(withLater({ ...model, pinned: true }, before), { ...model, pinned: true, tier: 2 });
    assert.deepEqual(withLater(model, { entry: model, revision: 1 }), model);
    assert.deepEqual(withLater(model, undefined), model);
  });

  test('go with the model whose name becomes a route', () => {
    const route = readEntry({ kind: 'route', name: 'm', targets: [{ model: 'n' }] });
    assert.deepEqual(withLater(route, { entry: model, revision: 1, later: { tier: 2 } }), route);
  });
});
