import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readModelName } from '../../../src/router/servers/model-name.ts';

test('readModelName takes a name as it is written, as Triton does', () => {
  for (const name of ['simple', 'sim%70le', 'a%2Fb', '%2e%2e', '..', '%', '%zz', '%ff', 'a%2fb']) {
    assert.equal(readModelName(name), name);
  }
});

test('readModelName decodes what a client cannot write in another way', () => {
  assert.equal(readModelName('my%20model'), 'my model');
  assert.equal(readModelName('gr%C3%B6%c3%9Fe'), 'größe');
  assert.equal(readModelName('a%25b'), 'a%b');
});

test('readModelName finds every name that a client encodes as RFC 3986 has it', () => {
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      fc.pre(!name.includes('/'));
      assert.equal(readModelName(encode(name)), name);
    }),
  );
});
