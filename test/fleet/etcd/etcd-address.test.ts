import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseEtcdAddress } from '../../../src/fleet/etcd/etcd-address.ts';

describe('parseEtcdAddress', () => {
  test('reads one endpoint, and names the fleet skein', () => {
    assert.deepEqual(parseEtcdAddress('etcd://h:2379'), {
      endpoints: ['http://h:2379'],
      isTls: false,
      user: '',
      password: '',
      prefix: '/skein/',
    });
  });

  test('reads several endpoints, TLS, a user, a password and the name of the fleet', () => {
    assert.deepEqual(parseEtcdAddress('etcds://me:p%40ss@10.0.0.1:2379,[::1]:2379/blue'), {
      endpoints: ['https://10.0.0.1:2379', 'https://[::1]:2379'],
      isTls: true,
      user: 'me',
      password: 'p@ss',
      prefix: '/blue/',
    });
  });

  for (const wrong of [
    'h:2379',
    'http://h:2379',
    'etcd://',
    'etcd://h',
    'etcd://h:99999',
    'etcd://h:1,',
    'etcd://h:1/a/b',
    'etcd://me:50%@h:1',
  ]) {
    test(`refuses ${wrong}`, () => {
      assert.throws(() => parseEtcdAddress(wrong), { code: 'setting_invalid' });
    });
  }

  test('shows no password in what it says', () => {
    assert.throws(
      () => parseEtcdAddress('etcd://me:secret@h'),
      (fault: Error) => !fault.message.includes('secret'),
    );
  });
});
