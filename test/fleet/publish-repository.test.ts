import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RepositoryPublisher, withNewerFiles } from '../../src/fleet/publish-repository.ts';
import type { RepositoryModel } from '../../src/fleet/repository/repository-model.ts';
import { until } from '../fixtures/fleet-client.ts';
import { MemoryRegistry } from './memory-registry.ts';
import { modelRecord } from './registry.contract.ts';

const model = (name: string): RepositoryModel => ({
  name,
  path: `/models/${name}`,
  layout: 'directory',
  versions: [1],
  versionStamps: ['m2x8k3a1.9q4'],
  stamp: 's',
  hasConfig: false,
});

describe('RepositoryPublisher', () => {
  test('makes models known under paths that hold on every host', async () => {
    const registry = new MemoryRegistry();
    new RepositoryPublisher(registry, () => {}).publish(Array.from({ length: 200 }, (_, i) => model(`m${i}`)));
    await until('all are known', 5_000, () => (registry.snapshot.entries.size === 200 ? true : undefined));
    const { entry } = registry.snapshot.entries.get('m7')!;
    assert.ok(entry.kind === 'model' && entry.path === 'm7' && entry.changedAtMs > 0);
  });

  test('leaves out what cannot be loaded, and a name that is an alias', async () => {
    const registry = new MemoryRegistry();
    await registry.putEntry({ kind: 'route', name: 'alias', targets: [{ model: 'good', weight: 1 }] });
    const publisher = new RepositoryPublisher(registry, () => {});
    publisher.publish([{ ...model('broken'), problem: 'no file' }, model('alias'), model('good')]);
    await until('it is known', 5_000, () => registry.snapshot.entries.get('good'));
    assert.equal(registry.snapshot.entries.get('broken'), undefined);
    assert.equal(registry.snapshot.entries.get('alias')?.entry.kind, 'route');
  });
});

describe('withNewerFiles', () => {
  const known = { ...modelRecord('m', [1, 2]), changedAtMs: 100, labels: { old: 1, new: 2 }, pinned: true };

  test('takes newer files, and keeps what operators wrote as far as it still holds', () => {
    const found = { ...modelRecord('m', [2, 3]), changedAtMs: 200 };
    assert.deepEqual(withNewerFiles(known, found), { ...found, labels: { new: 2 }, pinned: true });
  });

  test('leaves an entry of the same or newer files as it is', () => {
    assert.equal(withNewerFiles(known, { ...modelRecord('m', [1, 2]), changedAtMs: 900 }), undefined);
    assert.equal(withNewerFiles(known, { ...modelRecord('m', [1]), changedAtMs: 100 }), undefined);
  });

  test('takes what is new as it was found', () => {
    assert.equal(withNewerFiles(undefined, known), known);
  });
});
