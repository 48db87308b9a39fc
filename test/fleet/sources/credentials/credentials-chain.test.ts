import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { CredentialsChain } from '../../../../src/fleet/sources/credentials/credentials-chain.ts';
import { profileOf } from '../../../../src/fleet/sources/credentials/credentials-file.ts';
import { temporaryDirectory } from '../../../fixtures/model-folder.ts';

const off = { AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nowhere' };

/** A metadata service: what it answers by method and path, and what it was asked with. */
async function metadataService(
  t: TestContext,
  answers: Record<string, string>,
): Promise<{ origin: string; asked: string[] }> {
  const asked: string[] = [];
  const http = createServer(({ method, url, headers }, answer) => {
    asked.push([method, url, headers['x-aws-ec2-metadata-token'] ?? headers.authorization ?? ''].join(' ').trim());
    const text = answers[`${method} ${url}`];
    answer.writeHead(text === undefined ? 404 : 200).end(text ?? '');
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => http.close());
  return { origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, asked };
}

const temporary = (Expiration: string) =>
  JSON.stringify({ AccessKeyId: 'T', SecretAccessKey: 's', Token: 't', Expiration });

describe('CredentialsChain', () => {
  test('takes the environment first', async (t) => {
    const file = join(temporaryDirectory(t), 'credentials');
    writeFileSync(file, '[default]\naws_access_key_id = F\naws_secret_access_key = f\n');
    const env = { ...off, AWS_SHARED_CREDENTIALS_FILE: file };
    assert.deepEqual(await new CredentialsChain(env).find(), { accessKeyId: 'F', secretAccessKey: 'f' });
    const both = { ...env, AWS_ACCESS_KEY_ID: 'E', AWS_SECRET_ACCESS_KEY: 'e', AWS_SESSION_TOKEN: 't' };
    assert.deepEqual(await new CredentialsChain(both).find(), {
      accessKeyId: 'E',
      secretAccessKey: 'e',
      sessionToken: 't',
    });
  });

  test('asks a container for credentials with its token', async (t) => {
    const { origin, asked } = await metadataService(t, { 'GET /creds': temporary('2030-01-01T00:00:00Z') });
    const env = {
      ...off,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${origin}/creds`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'secret',
    };
    const found = await new CredentialsChain(env).find();
    assert.deepEqual(found, {
      accessKeyId: 'T',
      secretAccessKey: 's',
      sessionToken: 't',
      expiresAtMs: Date.UTC(2030, 0, 1),
    });
    assert.deepEqual(asked, ['GET /creds secret']);
  });

  test('exchanges the token of a service account for credentials of its role, and says why it was refused', async (t) => {
    const asked: string[] = [];
    const http = createServer(async (request, answer) => {
      let body = '';
      for await (const piece of request) body += piece;
      asked.push(`${request.method} ${request.url}`);
      const { Action, RoleArn, WebIdentityToken, RoleSessionName } = Object.fromEntries(new URLSearchParams(body));
      if (WebIdentityToken !== 'renewed') {
        const fault = '<Code>ExpiredTokenException</Code><Message>Token expired</Message>';
        answer.writeHead(400).end(`<ErrorResponse><Error>${fault}</Error></ErrorResponse>`);
        return;
      }
      assert.deepEqual(
        [Action, RoleArn, RoleSessionName],
        ['AssumeRoleWithWebIdentity', 'arn:aws:iam::1:role/m', 'skein'],
      );
      const fields = { AccessKeyId: 'W', SecretAccessKey: 'w', SessionToken: 't', Expiration: '2030-01-01T00:00:00Z' };
      const xml = Object.entries(fields).map(([name, text]) => `<${name}>${text}</${name}>`);
      answer.end(
        `<AssumeRoleWithWebIdentityResult><Credentials>${xml.join('\n')}</Credentials></AssumeRoleWithWebIdentityResult>`,
      );
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    t.after(() => http.close());
    const file = join(temporaryDirectory(t), 'token');
    writeFileSync(file, 'old\n');
    const chain = new CredentialsChain({
      ...off,
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_ARN: 'arn:aws:iam::1:role/m',
      AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    });
    await assert.rejects(chain.find(), {
      code: 'source_refused',
      message: /role arn:aws:iam::1:role\/m: 400 ExpiredTokenException Token expired/,
    });
    writeFileSync(file, 'renewed\n');
    const expiresAtMs = Date.UTC(2030, 0, 1);
    const found = { accessKeyId: 'W', secretAccessKey: 'w', sessionToken: 't', expiresAtMs };
    assert.deepEqual(await chain.find(), found);
    assert.deepEqual(asked, ['POST /', 'POST /']);
  });

  test("sends a container's token to no stranger", async () => {
    const env = {
      ...off,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://example.com/creds',
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'secret',
    };
    assert.equal(await new CredentialsChain(env).find(), undefined);
  });

  test('asks an instance with a token, and again before the credentials end', async (t) => {
    const roles = '/latest/meta-data/iam/security-credentials/';
    const { origin, asked } = await metadataService(t, {
      'PUT /latest/api/token': 'token',
      [`GET ${roles}`]: 'role\n',
      [`GET ${roles}role`]: temporary('2030-01-01T00:00:00Z'),
    });
    let nowMs = Date.UTC(2029, 11, 31);
    const chain = new CredentialsChain({ HOME: '/nowhere', AWS_EC2_METADATA_SERVICE_ENDPOINT: origin }, () => nowMs);
    for (let i = 0; i < 3; i++) assert.equal((await chain.find())?.accessKeyId, 'T');
    assert.deepEqual(asked, ['PUT /latest/api/token', `GET ${roles} token`, `GET ${roles}role token`]);
    nowMs = Date.UTC(2030, 0, 1) - 4 * 60_000;
    await chain.find();
    assert.equal(asked.length, 6);
  });

  test('finds nothing where there is nothing, and looks again a minute later', async (t) => {
    let nowMs = 0;
    const file = join(temporaryDirectory(t), 'credentials');
    const chain = new CredentialsChain({ ...off, AWS_SHARED_CREDENTIALS_FILE: file }, () => nowMs);
    assert.equal(await chain.find(), undefined);
    writeFileSync(file, '[default]\naws_access_key_id = F\naws_secret_access_key = f\n');
    assert.equal(await chain.find(), undefined);
    nowMs = 60_000;
    assert.equal((await chain.find())?.accessKeyId, 'F');
  });
});

describe('profileOf', () => {
  test('reads one profile of many', () => {
    const text =
      '# mine\n[default]\naws_access_key_id=A\n\n[profile other]\n aws_access_key_id = B \n; no\naws_secret_access_key =\n';
    assert.deepEqual(
      [...profileOf(text, 'other')],
      [
        ['aws_access_key_id', 'B'],
        ['aws_secret_access_key', ''],
      ],
    );
    assert.deepEqual([...profileOf(text, 'default')], [['aws_access_key_id', 'A']]);
    assert.equal(profileOf(text, 'none').size, 0);
  });
});
