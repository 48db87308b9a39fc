import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { Catalogue } from '../../../src/router/mesh/catalogue.ts';
import { FleetView } from '../../../src/router/mesh/fleet-view.ts';
import { LoadTroubles } from '../../../src/router/mesh/load-troubles.ts';
import { ask, model, startMesh } from './test-mesh.ts';

const mismatch = new SkeinError('digest_mismatch', { url: 'https://h/a.onnx', got: '1', wanted: '2' });
const noDisk = new SkeinError('source_disk', { reason: 'ENOSPC: no space left on device' });

function start() {
  const catalogue = new Catalogue();
  const fleet = new FleetView(catalogue);
  const logs: Record<string, unknown>[] = [];
  const troubles = new LoadTroubles((_message, facts) => logs.push(facts));
  const entry = (name: string, stamp = 's') => {
    catalogue.apply({ added: [model(name, stamp)], changed: [], removed: [] });
    return catalogue.find(name)!;
  };
  const reported = (nowMs: number) => troubles.report(fleet, nowMs).map(({ model: name, code }) => `${name} ${code}`);
  return { catalogue, fleet, logs, troubles, entry, reported };
}

describe('LoadTroubles', () => {
  test('tells what did not load, where, when and why, newest first, until it loads', () => {
    const { troubles, fleet, entry, reported } = start();
    const [a, b] = [entry('a'), entry('b')];
    troubles.note(a, 1, 'b1', mismatch, 1_000);
    troubles.note(b, 1, '', noDisk, 2_000);
    assert.deepEqual(reported(5_000), ['b source_disk', 'a digest_mismatch']);
    assert.deepEqual(troubles.report(fleet, 5_000).at(-1), {
      ...{ model: 'a', version: 1, backend: 'b1', code: 'digest_mismatch', agoMs: 4_000 },
      reason: mismatch.message,
    });
    troubles.forget(b, 1);
    assert.deepEqual(reported(5_000), ['a digest_mismatch']);
  });

  test('forgets what was removed or has other files', () => {
    const { troubles, catalogue, entry, reported } = start();
    troubles.note(entry('a'), 1, 'b1', mismatch, 0);
    troubles.note(entry('b'), 1, 'b1', mismatch, 0);
    entry('a', 'other files');
    catalogue.apply({ added: [], changed: [], removed: ['b'] });
    assert.deepEqual(reported(1), []);
  });

  test('logs the same trouble once a minute, and another one at once', () => {
    const { troubles, entry, logs } = start();
    const a = entry('a');
    for (let nowMs = 0; nowMs < 60_000; nowMs += 50) troubles.note(a, 1, 'b1', noDisk, nowMs);
    assert.deepEqual(logs, [{ model: 'a', version: 1, on: 'b1', code: 'source_disk', reason: noDisk.message }]);
    troubles.note(a, 1, 'b1', mismatch, 60_000);
    troubles.note(a, 1, 'b1', mismatch, 120_000);
    assert.equal(logs.length, 3);
  });

  test('remembers no more than a bound, and reports a few of them', () => {
    const { troubles, entry, logs, reported } = start();
    for (let i = 0; i < 300; i++) troubles.note(entry(`m${i}`), 1, 'b1', noDisk, i);
    assert.equal(reported(300).length, 20);
    assert.equal(reported(300)[0], 'm299 source_disk');
    assert.equal(logs.length, 300);
    troubles.note(entry('m0'), 1, 'b1', noDisk, 301); // forgotten, so it is news
    troubles.note(entry('m299'), 1, 'b1', noDisk, 301);
    assert.equal(logs.length, 301);
  });

  test('counts every try by its code', () => {
    const { troubles } = start();
    for (const fault of [mismatch, noDisk, noDisk]) troubles.count(fault);
    assert.deepEqual(troubles.totals, {
      loadFailures: 3,
      loadFailuresByCode: { digest_mismatch: 1, source_disk: 2 },
    });
  });

  test('is in the report of a mesh: what it asked for itself, and what a backend tells of', async (t) => {
    const { mesh, backend, put, connected } = startMesh(t);
    const b1 = backend('b1');
    await connected();
    put(model('a'), model('b'));
    b1.onLoad = () => Promise.reject(mismatch);
    assert.equal(await ask(mesh, 'a').over(), 'model_failed');
    b1.addFailedCopy('b', model('b').versionStamps[0]!, noDisk);
    const told = mesh.report().loadTroubles.map(({ model: name, backend: on, code }) => [name, on, code]);
    assert.deepEqual(told, [
      ['a', 'b1', 'digest_mismatch'],
      ['b', 'b1', 'source_disk'],
    ]);
    assert.equal(mesh.report().backends[0]?.copies, 0);
    b1.onLoad = () => Promise.resolve();
    put(model('a', 'mended'));
    assert.match(await ask(mesh, 'a').over(), /^a /);
    assert.equal(mesh.report().loadTroubles.length, 1);
  });
});
