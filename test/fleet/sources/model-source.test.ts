import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { singleFileName, sourceFault } from '../../../src/fleet/sources/model-source.ts';

const sha256 = '0'.repeat(64);

describe('sourceFault', () => {
  for (const url of [
    'https://h/m/SHA256SUMS',
    'http://h:8080/m.onnx',
    's3://bucket/m/SHA256SUMS',
    'file:///mnt/m/SHA256SUMS',
  ]) {
    test(`takes ${url}`, () => assert.equal(sourceFault({ url, sha256 }), undefined));
  }
  const wrong: [source: unknown, fault: RegExp][] = [
    [undefined, /source\.url/],
    [{ url: 'https://h/m', sha256: 'abc' }, /source\.sha256/],
    [{ url: 'https://h/m', sha256: sha256.replace('0', 'A') }, /lower-case/],
    [{ url: 'nonsense', sha256 }, /is no URL/],
    [{ url: 'ftp://h/m', sha256 }, /must begin with/],
    [{ url: 'https://user:secret@h/m', sha256 }, /no user name/],
    [{ url: 'https://h/m?token=secret', sha256 }, /no query/],
    [{ url: 'file://host/m', sha256 }, /without a host/],
    [{ url: 's3:///key', sha256 }, /names no host/],
    [{ url: 'https://h/m/', sha256 }, /must name a file/],
    [{ url: 's3://bucket', sha256 }, /must name a file/],
    [{ url: 's3://bucket/..%2Fother/m.onnx', sha256 }, /holds '\.' or '\.\.', encoded/],
    [{ url: 'https://h/%zz/m.onnx', sha256 }, /holds a % that begins no encoded byte/],
    [{ url: `https://h/${'x'.repeat(2_048)}`, sha256 }, /at most 2048/],
  ];
  for (const [source, fault] of wrong) {
    test(`says what is wrong with ${JSON.stringify(source)?.slice(0, 60)}`, () =>
      assert.match(sourceFault(source) ?? '', fault));
  }
});

describe('singleFileName', () => {
  test('is that of a model file, and of no list', () => {
    assert.deepEqual(['https://h/resnet-v2.onnx', 's3://b/m.ort', 'https://h/m/SHA256SUMS'].map(singleFileName), [
      'model.onnx',
      'model.ort',
      undefined,
    ]);
  });
});
