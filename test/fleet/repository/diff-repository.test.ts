import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { diffRepository, isUnchanged, settled } from '../../../src/fleet/repository/diff-repository.ts';
import type { RepositoryModel } from '../../../src/fleet/repository/repository-model.ts';

type Looks = Readonly<Record<string, string>>;

function snapshot(looks: Looks) {
  const model = (name: string, stamp: string): RepositoryModel => ({
    name,
    path: `/r/${name}`,
    layout: 'directory',
    versions: [1],
    versionStamps: [stamp],
    stamp,
    hasConfig: false,
  });
  return { models: new Map(Object.entries(looks).map(([name, stamp]) => [name, model(name, stamp)])), notices: [] };
}

const looks = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2', '3'));

describe('diffRepository', () => {
  test('tells what came, what went and what is another', () => {
    const { added, removed, changed } = diffRepository(
      snapshot({ a: '1', b: '1', c: '1' }),
      snapshot({ b: '2', c: '1', d: '1' }),
    );
    assert.deepEqual(
      [added.map(({ name }) => name), removed, changed.map(({ name, stamp }) => [name, stamp])],
      [['d'], ['a'], [['b', '2']]],
    );
  });

  test('tells a model whose problem is another one', () => {
    const before = snapshot({ a: '1' });
    const after = { models: new Map([['a', { ...before.models.get('a')!, problem: 'it cannot be read' }]]) };
    assert.equal(diffRepository(before, after).changed.length, 1);
  });

  test('gives what makes the one the other', () => {
    fc.assert(
      fc.property(looks, looks, (a, b) => {
        const [before, after] = [snapshot(a), snapshot(b)];
        const { added, removed, changed } = diffRepository(before, after);
        const models = new Map(before.models);
        for (const name of removed) models.delete(name);
        for (const model of [...added, ...changed]) models.set(model.name, model);
        assert.ok(isUnchanged(diffRepository({ models }, after)));
        assert.equal(added.length + changed.length + removed.length === 0, isUnchanged(diffRepository(before, after)));
      }),
    );
  });
});

describe('settled', () => {
  test('takes what looked the same twice and keeps the rest as it was reported', () => {
    const models = settled(
      snapshot({ same: '1', writing: '1', going: '1', gone: '1' }),
      snapshot({ same: '1', writing: '2', going: '1', moved: '2', starting: '1' }),
      snapshot({ same: '1', writing: '3', moved: '2', starting: '2' }),
    );
    assert.deepEqual(Object.fromEntries([...models].map(([name, { stamp }]) => [name, stamp])), {
      same: '1',
      writing: '1',
      going: '1',
      moved: '2',
    });
  });

  test('never gives a look that was not seen twice or reported before', () => {
    fc.assert(
      fc.property(looks, looks, looks, (reported, first, second) => {
        for (const [name, { stamp }] of settled(snapshot(reported), snapshot(first), snapshot(second))) {
          assert.ok((first[name] === stamp && second[name] === stamp) || reported[name] === stamp);
        }
      }),
    );
  });
});
