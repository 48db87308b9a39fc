import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { signGet } from '../../../src/fleet/sources/signature-v4.ts';

describe('signGet', () => {
  // docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Example: GET Object"
  const credentials = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  };
  const request = {
    url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'),
    headers: { range: 'bytes=0-9' },
    region: 'us-east-1',
    nowMs: Date.UTC(2013, 4, 24),
  };

  test("signs Amazon's own example as Amazon does", () => {
    const { authorization } = signGet(request, credentials);
    assert.equal(
      authorization,
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,' +
        'SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,' +
        'Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    );
  });

  test('signs the token of temporary credentials, too', () => {
    const headers = signGet(request, { ...credentials, sessionToken: 'token' });
    assert.equal(headers['x-amz-security-token'], 'token');
    assert.match(
      headers['authorization']!,
      /SignedHeaders=host;range;x-amz-content-sha256;x-amz-date;x-amz-security-token,/,
    );
  });
});
