import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeStore, looksEmptied } from '../../../src/fleet/etcd/store-judgement.ts';

const known = { fleetId: 'f1', revision: 10, entries: 5 };
const marker = (fleetId: string, replaces: string[] = []) => ({ fleetId, replaces });

const rows = [
  ['begins a fleet in an empty store', undefined, undefined, 1, 'begin'],
  ['reads a store that it meets for the first time', undefined, marker('f1'), 10, 'reload'],
  ['goes on where it was', known, marker('f1'), 12, 'resume'],
  ['reads a copy of the same fleet that is older', known, marker('f1'), 9, 'reload'],
  ['does not believe a store that holds nothing any more', known, undefined, 1, 'emptied'],
  ['does not believe a store of another fleet', known, marker('f2'), 20, 'emptied'],
  ['believes another fleet that an operator put in its place', known, marker('f2', ['f0', 'f1']), 20, 'reload'],
  ['has nothing to lose where it knew of no entry', { ...known, entries: 0 }, marker('f2'), 20, 'reload'],
  ['begins anew where it knew of no entry', { ...known, entries: 0 }, undefined, 1, 'begin'],
] as const;

describe('judgeStore', () => {
  for (const [what, before, found, revision, verdict] of rows) {
    test(what, () => {
      assert.equal(judgeStore(before, { marker: found, revision }).kind, verdict);
    });
  }
});

describe('looksEmptied', () => {
  test('is true where more than half of many entries went', () => {
    assert.equal(looksEmptied(300, 149), true);
    assert.equal(looksEmptied(300, 150), false);
    assert.equal(looksEmptied(4, 1), true);
  });

  test('is false where there were few', () => {
    assert.equal(looksEmptied(3, 0), false);
  });
});
