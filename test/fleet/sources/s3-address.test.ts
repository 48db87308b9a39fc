import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { s3Address } from '../../../src/fleet/sources/s3-address.ts';

describe('s3Address', () => {
  const place = { endpoint: '', region: 'eu-central-1', pathStyle: false };
  const cases: [url: string, change: Partial<typeof place>, address: string][] = [
    ['s3://bucket/a/b.onnx', {}, 'https://bucket.s3.eu-central-1.amazonaws.com/a/b.onnx'],
    ['s3://my.bucket/a', {}, 'https://s3.eu-central-1.amazonaws.com/my.bucket/a'],
    ['s3://bucket/a', { pathStyle: true }, 'https://s3.eu-central-1.amazonaws.com/bucket/a'],
    ['s3://bucket/a', { endpoint: 'http://minio:9000' }, 'http://bucket.minio:9000/a'],
    ['s3://bucket/a', { endpoint: 'http://minio:9000/s3/', pathStyle: true }, 'http://minio:9000/s3/bucket/a'],
    [
      's3://bucket/a b/ü(1)!.onnx',
      { endpoint: 'http://h', pathStyle: true },
      'http://h/bucket/a%20b/%C3%BC%281%29%21.onnx',
    ],
    ['s3://bucket/a%20b', { endpoint: 'http://h', pathStyle: true }, 'http://h/bucket/a%20b'],
  ];
  for (const [url, change, address] of cases) {
    test(`of ${url} is ${address}`, () => assert.equal(s3Address(new URL(url), { ...place, ...change }).href, address));
  }
});
