import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseCoding, readContentEncoding } from '../../../src/router/servers/content-coding.ts';

test('readContentEncoding knows gzip, deflate and none', () => {
  assert.equal(readContentEncoding(undefined), undefined);
  assert.equal(readContentEncoding(''), undefined);
  assert.equal(readContentEncoding('identity'), undefined);
  assert.equal(readContentEncoding('gzip'), 'gzip');
  assert.equal(readContentEncoding('X-GZIP '), 'gzip');
  assert.equal(readContentEncoding('deflate'), 'deflate');
});

test('readContentEncoding refuses others, and several at once', () => {
  for (const value of ['br', 'zstd', 'gzip, gzip', 'gzip;q=1']) {
    assert.throws(() => readContentEncoding(value), { code: 'body_encoding' }, value);
  }
});

test('chooseCoding takes what the client likes best', () => {
  for (const [accept, coding] of [
    ['gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['deflate, gzip', 'gzip'],
    ['gzip;q=0.5, deflate', 'deflate'],
    ['gzip;q=0.5, deflate;q=0.4', 'gzip'],
    [' GZIP ; Q=0.001', 'gzip'],
    ['br, gzip;level=9;q=1.000', 'gzip'],
  ] as const) {
    assert.equal(chooseCoding(accept), coding, accept);
  }
});

test('chooseCoding compresses nothing for a client that did not ask for it by name', () => {
  for (const accept of [
    undefined,
    '',
    '*',
    'br',
    'identity',
    'gzip;q=0',
    'gzip;q=0.000',
    'gzip;q=2',
    'gzip;q=x',
    ',,;;',
  ]) {
    assert.equal(chooseCoding(accept), undefined, accept);
  }
});
