import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readEntry } from '../../src/fleet/catalogue-entry.ts';
import { modelRecord } from './registry.contract.ts';

const model = modelRecord('m', [1, 3]);

describe('readEntry', () => {
  test('takes a model with all it may say, and drops what nobody knows', () => {
    const full = {
      ...model,
      labels: { stable: 1 },
      requires: { gpu: 'a100' },
      tolerates: ['spot'],
      pinned: true,
      minCopies: 1,
      maxCopies: 4,
    };
    assert.deepEqual(readEntry({ ...full, later: true }), full);
  });

  test('fills in what a model need not say', () => {
    const { name, kind, versions, stamps } = model;
    const read = readEntry({ name, kind, versions, stamps });
    assert.deepEqual(read, { ...model, changedAtMs: 0 });
  });

  test('takes a model that is fetched, with the digest for its stamps', () => {
    const source = { url: 's3://bucket/m/SHA256SUMS', sha256: 'a'.repeat(64) };
    const entry = readEntry({ kind: 'model', name: 'm', versions: [1, 2], source: { ...source, unknown: 1 } });
    assert.deepEqual(entry.kind === 'model' && [entry.source, entry.stamps], [source, [source.sha256, source.sha256]]);
  });

  test('refuses a source that is none, and one file for two versions', () => {
    const sha256 = 'a'.repeat(64);
    const entry = { kind: 'model', name: 'm', versions: [1, 2], stamps: ['1', '2'] };
    for (const [source, reason] of [
      [{ url: 'ftp://h/m', sha256 }, /must begin with/],
      [{ url: 'https://h/m.onnx', sha256 }, /names one model file/],
      ['https://h/m.onnx', /source\.url/],
    ] as const) {
      assert.throws(() => readEntry({ ...entry, source }), { code: 'entry_invalid', message: reason });
    }
  });

  test('takes a route with weights, versions and labels', () => {
    const targets = [
      { model: 'a', version: 2, weight: 9 },
      { model: 'b', version: 'stable', weight: 1 },
      { model: 'c', weight: 1 },
    ];
    assert.deepEqual(readEntry({ kind: 'route', name: 'r', targets }), { kind: 'route', name: 'r', targets });
  });

  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['what is no object', 'm', /not a JSON object/],
    ['what has no name', { kind: 'model' }, /no 'name'/],
    ['an unknown kind', { kind: 'thing', name: 'm' }, /'model' or 'route'/],
    ['no versions', { ...model, versions: [], stamps: [] }, /'versions'/],
    ['versions out of order', { ...model, versions: [3, 1] }, /'versions'/],
    ['too few stamps', { ...model, stamps: ['s'] }, /one text for each/],
    ['a path that leads out', { ...model, path: 'a/../../b' }, /lead downward/],
    ['an absolute path', { ...model, path: '/etc/passwd' }, /lead downward/],
    ['a label that is a number', { ...model, labels: { 1: 1 } }, /cannot be a label/],
    ['a label for a version that is not there', { ...model, labels: { stable: 2 } }, /names version 2/],
    ['labels that are no object', { ...model, labels: null }, /'labels' must be an object/],
    ['requirements that are no object', { ...model, requires: null }, /'requires' must be an object/],
    ['requirements in a text', { ...model, requires: 'gpu' }, /'requires' must be an object/],
    ['bounds that cross', { ...model, minCopies: 3, maxCopies: 2 }, /above 'maxCopies'/],
    ['a route that leads nowhere', { kind: 'route', name: 'r', targets: [] }, /'targets'/],
    ['a route that leads to itself', { kind: 'route', name: 'r', targets: [{ model: 'r' }] }, /to itself/],
    ['a negative weight', { kind: 'route', name: 'r', targets: [{ model: 'a', weight: -1 }] }, /weight/],
  ];
  for (const [what, entry, message] of wrong) {
    test(`refuses ${what}`, () => {
      assert.throws(() => readEntry(entry), { code: 'entry_invalid', message });
    });
  }
});
