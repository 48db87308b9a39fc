import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ServerAddress } from '../../../src/adapters/v2/server-address.ts';

describe('ServerAddress', () => {
  test('finds the V2 paths behind whatever the URL has before them', () => {
    for (const [url, path] of [
      ['http://host:8000', '/v2/models/m'],
      ['http://host:8000/', '/v2/models/m'],
      ['http://host:8000/v2/', '/v2/models/m'],
      ['https://host/serving/triton', '/serving/triton/v2/models/m'],
    ] as const) {
      assert.equal(new ServerAddress('b', url).model('m'), path);
    }
    assert.equal(new ServerAddress('b', 'http://host:8000/x').origin, 'http://host:8000');
  });

  test('names a version where there is one, and escapes a model', () => {
    const address = new ServerAddress('b', 'http://host');
    assert.equal(address.model('m', '3'), '/v2/models/m/versions/3');
    assert.equal(address.model('../a b?c'), '/v2/models/..%2Fa%20b%3Fc');
    assert.equal(address.repositoryModel('a/b', 'load'), '/v2/repository/models/a%2Fb/load');
  });

  test('refuses what is no HTTP URL, naming what it takes', () => {
    for (const url of ['host:8000', 'unix:/tmp/x', 'http://host/?a=1', 'http://host/#x', '', 'http://']) {
      assert.throws(() => new ServerAddress('b', url), { code: 'backend_address', message: /http:\/\/host:port/ });
    }
  });
});
