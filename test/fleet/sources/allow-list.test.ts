import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AllowList, isAllowed, parseAllowList } from '../../../src/fleet/sources/allow-list.ts';

function list(text: string): AllowList {
  const read = parseAllowList(text);
  if ('fault' in read) assert.fail(read.fault);
  return read;
}

const some = list(
  'https://models.example.com, https://*.example.org/public/, http://10.0.0.5:8080, s3://bucket/team, file:///mnt/models',
);

describe('isAllowed', () => {
  const allowed = [
    'https://models.example.com/a/b',
    'https://MODELS.example.com:443/a',
    'https://a.example.org/public/x',
    'https://a.b.example.org/public/deep/x',
    'http://10.0.0.5:8080/x',
    's3://bucket/team/x',
    'file:///mnt/models/m/SHA256SUMS',
  ];
  const refused = [
    'http://models.example.com/a',
    'https://models.example.com:8443/a',
    'https://models.example.com.evil.net/a',
    'https://evilmodels.example.com/a',
    'https://example.org/public/x',
    'https://evilexample.org/public/x',
    'https://a.example.org/publicly/x',
    'https://a.example.org/public/../secret',
    'https://a.example.org/public/%2e%2e/secret',
    'https://a.example.org/public/%2e%2e%2fsecret',
    'http://10.0.0.5/x',
    's3://bucket/other/x',
    's3://bucket2/team/x',
    'file:///mnt/models2/x',
    'file:///etc/passwd',
    'file:///mnt/models/../../etc/passwd',
  ];
  for (const url of allowed) test(`lets ${url} be read`, () => assert.equal(isAllowed(some, new URL(url)), true));
  for (const url of refused) test(`refuses ${url}`, () => assert.equal(isAllowed(some, new URL(url)), false));

  test('takes a star alone for every host', () => {
    assert.equal(isAllowed(list('s3://*'), new URL('s3://any/key')), true);
    assert.equal(isAllowed(list('https://*:8443'), new URL('https://any.host:8443/key')), true);
    assert.equal(isAllowed(list('https://*:8443'), new URL('https://any.host/key')), false);
  });

  for (const url of ['s3://bucket/..%2Fother/key', 's3://bucket/a/..%2f..%2fother/key', 's3://bucket/..%5Cother/key']) {
    test(`lets no ${url} lead out of a bucket`, () =>
      assert.equal(isAllowed(list('s3://bucket'), new URL(url)), false));
  }

  test('takes no bucket whose encoded name holds a path', () => {
    assert.equal(isAllowed(list('s3://*.team'), new URL('s3://other%2Fx.team/key')), false);
  });

  test('lets nothing through an empty list', () => assert.equal(isAllowed(list(' '), new URL('https://a/b')), false));
});

describe('parseAllowList', () => {
  for (const text of [
    'models.example.com',
    'ftp://a',
    'https://user@a',
    'https://a?x',
    'file:///',
    'https://a, nonsense',
  ]) {
    test(`says what is wrong with '${text}'`, () => assert.ok('fault' in parseAllowList(text)));
  }
});
