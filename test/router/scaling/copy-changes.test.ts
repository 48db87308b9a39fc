import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { preferenceOrder } from '../../../src/router/placement/rendezvous.ts';
import type { PlacedCopy } from '../../../src/router/placement/snapshot.ts';
import { copyChanges } from '../../../src/router/scaling/copy-changes.ts';
import { backend, backends, model, models } from '../placement/fleets.ts';

const fleet = ['a', 'b', 'c', 'd'].map((id) => backend(id));
const order = preferenceOrder('m', fleet).map(({ id }) => id);
const ready = (...ids: string[]): PlacedCopy[] => ids.map((backendId) => ({ backendId, state: 'ready' }));

describe('copyChanges', () => {
  test('loads what is missing along the preference list', () => {
    const question = { model: model('m'), copies: ready(order[0]!) };
    assert.deepEqual(copyChanges(fleet, question, { wanted: 3, urgent: true }), [
      { kind: 'load', backendId: order[1], urgent: true },
      { kind: 'load', backendId: order[2], urgent: true },
    ]);
    assert.deepEqual(copyChanges(fleet, question, { wanted: 1, urgent: false }), []);
  });

  test('counts copies that are on their way, and trims nothing until they are there', () => {
    const coming = { backendId: order[2]!, state: 'loading' as const };
    const question = { model: model('m'), copies: [...ready(order[0]!), coming] };
    assert.deepEqual(copyChanges(fleet, question, { wanted: 2, urgent: false }), []);
    assert.deepEqual(copyChanges(fleet, question, { wanted: 1, urgent: false }), []);
  });

  test('trims from the end of the preference list', () => {
    const question = { model: model('m'), copies: ready(...order.toReversed()) };
    assert.deepEqual(copyChanges(fleet, question, { wanted: 2, urgent: false }), [
      { kind: 'unload', backendId: order[2] },
      { kind: 'unload', backendId: order[3] },
    ]);
    assert.equal(copyChanges(fleet, question, { wanted: 0, urgent: false }).length, 4);
  });

  test('replaces the copy of a backend that drains before it goes', () => {
    const draining = fleet.map((one) => (one.id === order[0] ? { ...one, state: 'draining' as const } : one));
    const question = { model: model('m'), copies: ready(order[0]!) };
    assert.deepEqual(copyChanges(draining, question, { wanted: 1, urgent: false }), [
      { kind: 'load', backendId: order[1], urgent: false },
    ]);
  });

  test('comes to rest: once its changes are made there are none', () => {
    fc.assert(
      fc.property(backends, models, fc.nat(5), fc.array(fc.nat(), { maxLength: 4 }), (some, one, wanted, at) => {
        const held = [...new Set(at.map((nth) => some[nth % some.length]?.id ?? 'gone'))];
        const question = { model: one, copies: ready(...held) };
        const changes = copyChanges(some, question, { wanted, urgent: false });
        const gone = new Set(changes.filter(({ kind }) => kind === 'unload').map(({ backendId }) => backendId));
        const come = changes.filter(({ kind }) => kind === 'load').map(({ backendId }) => backendId);
        assert.ok(come.every((id) => !held.includes(id)) && new Set(come).size === come.length);
        const after = ready(...held.filter((id) => !gone.has(id)), ...come);
        assert.deepEqual(copyChanges(some, { model: one, copies: after }, { wanted, urgent: false }), []);
      }),
    );
  });
});
