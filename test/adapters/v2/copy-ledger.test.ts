import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CopyLedger } from '../../../src/adapters/v2/copy-ledger.ts';
import type { ModelSighting } from '../../../src/adapters/v2/model-sighting.ts';

const seen = (model: string, version: number, more: Partial<ModelSighting> = {}): ModelSighting => ({
  model,
  version,
  versionName: String(version),
  phase: 'ready',
  reason: '',
  ...more,
});

describe('CopyLedger', () => {
  test('tells what is new, what changed and what went, and nothing twice', () => {
    const ledger = new CopyLedger('b', 8);
    const names = ({ changed, gone }: ReturnType<CopyLedger['apply']>) => [
      changed.map(({ id, model, version, phase }) => `${id} ${model} ${version} ${phase}`),
      gone,
    ];
    assert.deepEqual(names(ledger.apply([seen('a', 1), seen('b', 1)])), [['1 a 1 ready', '2 b 1 ready'], []]);
    assert.deepEqual(names(ledger.apply([seen('b', 1), seen('a', 1)])), [[], []]);
    assert.deepEqual(names(ledger.apply([seen('a', 1, { phase: 'unloading' })])), [['1 a 1 unloading'], [2]]);
    assert.deepEqual(names(ledger.apply([seen('b', 1), seen('a', 2)])), [['2 b 1 ready', '3 a 2 ready'], [1]]);
  });

  test('gives the reason of a copy that failed, with the name of the server', () => {
    const { changed } = new CopyLedger('triton', 8).apply([seen('a', 1, { phase: 'failed', reason: 'no such file' })]);
    assert.deepEqual(changed[0]?.reason, {
      code: 'load_failed',
      facts: { model: 'a', version: 1, reason: "no such file (backend 'triton')" },
    });
  });

  test('lists the copies of a model, newest version first', () => {
    const ledger = new CopyLedger('b', 8);
    ledger.apply([seen('a', 2), seen('a', 10), seen('b', 11)]);
    assert.deepEqual(
      ledger.ofModel('a').map(({ version }) => version),
      [10, 2],
    );
  });

  test('measures load: what is under way, and a time that follows the newest answers', () => {
    const ledger = new CopyLedger('b', 8);
    ledger.apply([seen('a', 1)]);
    ledger.noteStart(1);
    ledger.noteStart(1);
    assert.deepEqual(ledger.noteAnswer(1, 10), { inFlight: 2, latencyUs: 10_000 });
    ledger.noteEnd(1);
    assert.deepEqual(ledger.noteAnswer(1, 20), { inFlight: 1, latencyUs: 12_000 });
    for (let n = 0; n < 40; n++) ledger.noteAnswer(1, 50);
    assert.ok(ledger.noteAnswer(1, 50).latencyUs > 49_900);
  });

  test('does not mind the end of what began before a copy went and came back', () => {
    const ledger = new CopyLedger('b', 8);
    ledger.apply([seen('a', 1)]);
    ledger.noteStart(1);
    ledger.apply([]);
    ledger.noteEnd(1);
    ledger.apply([seen('a', 1)]);
    ledger.noteEnd(1);
    assert.equal(ledger.ofModel('a')[0]?.inFlight, 0);
  });
});
