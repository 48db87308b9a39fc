import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeBytes } from '../../../src/fleet/etcd/etcd-messages.ts';
import { KeySpace } from '../../../src/fleet/etcd/key-space.ts';
import { backend, modelRecord } from '../registry.contract.ts';

const keys = new KeySpace('/blue/');
const kv = (key: string, value: unknown) => ({
  key: encodeBytes(key),
  value: encodeBytes(JSON.stringify(value)),
  mod_revision: '7',
});

describe('KeySpace', () => {
  test('reads back what lies under its own keys', () => {
    const member = backend('b1');
    assert.deepEqual(keys.factOf(kv(keys.keyOf('backend', 'b1'), member), false), {
      kind: 'backend',
      name: 'b1',
      value: member,
    });
    assert.deepEqual(keys.factOf(kv(keys.keyOf('entry', 'm'), modelRecord('m')), false), {
      kind: 'entry',
      name: 'm',
      value: { entry: modelRecord('m'), revision: 7 },
    });
  });

  test('knows what is gone by its key alone', () => {
    const gone = { key: encodeBytes(keys.keyOf('drain', 'b1')) };
    assert.deepEqual(keys.factOf(gone, true), { kind: 'drain', name: 'b1', value: undefined });
  });

  test('passes over what it does not know: a later version may keep more', () => {
    assert.equal(keys.factOf(kv('/blue/plans/1', {}), false), undefined);
    assert.equal(keys.factOf(kv(keys.keyOf('backend', 'b1'), { role: 'router' }), false), undefined);
  });

  test('throws for an entry that cannot be used', () => {
    assert.throws(() => keys.factOf(kv(keys.keyOf('entry', 'm'), { kind: 'model' }), false), { code: 'entry_invalid' });
  });
});
