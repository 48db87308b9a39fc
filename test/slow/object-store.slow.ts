/** Models from a real S3-compatible server, SeaweedFS, which checks signatures: reads, ranges, refusals, whole models. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { noPeers } from '../../src/fleet/sources/file-reader.ts';
import { openSources } from '../../src/fleet/sources/open-sources.ts';
import { S3Source } from '../../src/fleet/sources/s3-source.ts';
import type { AwsCredentials } from '../../src/fleet/sources/signature-v4.ts';
import { SourceGate } from '../../src/fleet/sources/source-gate.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { pythonPrograms } from '../fixtures/python-environment.ts';
import { fileReaderContract } from '../fleet/sources/file-reader.contract.ts';
import { sha256, someBytes } from '../fleet/sources/file-server.ts';

const credentials = { accessKeyId: 'skein', secretAccessKey: 'a secret of the tests' };
const allowed = [{ protocol: 's3:', host: 'models', port: '', path: '' }];
const never = new AbortController().signal;

let server: ChildProcess;
let [endpoint, filer] = ['', ''];

const directory = temporaryDirectory({ after });
before(async () => {
  const identities = [
    {
      name: 'tests',
      credentials: [{ accessKey: credentials.accessKeyId, secretKey: credentials.secretAccessKey }],
      actions: ['Read', 'List'],
    },
  ];
  writeFileSync(join(directory, 's3.json'), JSON.stringify({ identities }));
  const weed = join(pythonPrograms(join(import.meta.dirname, 'object-store-requirements.txt')), 'weed');
  const names = ['master', 'volume', 'filer', 's3'];
  const ports = await freePorts(2 * names.length);
  [filer, endpoint] = [`http://127.0.0.1:${ports[2]}`, `http://127.0.0.1:${ports[3]}`];
  const flags = names.flatMap((name, i) => [
    `-${name}.port=${ports[i]}`,
    `-${name}.port.grpc=${ports[i + names.length]}`,
  ]);
  const args = [
    'server',
    `-dir=${directory}`,
    '-ip=127.0.0.1',
    '-s3',
    `-s3.config=${join(directory, 's3.json')}`,
    '-master.volumeSizeLimitMB=64',
    '-volume.max=100',
    '-s3.port.iceberg=0',
    ...flags,
  ];
  server = spawn(weed, args, { cwd: directory, stdio: ['ignore', 'ignore', openSync(join(directory, 'log'), 'w')] });
  for (const untilMs = performance.now() + 60_000; ; await sleep(250)) {
    if (
      await put('ready', Buffer.from('x'))
        .then(() => fetch(endpoint))
        .then(
          () => true,
          () => false,
        )
    )
      break;
    assert.ok(
      performance.now() < untilMs,
      `the server did not start:\n${readFileSync(join(directory, 'log'), 'utf8')}`,
    );
  }
});
after(() => server?.kill('SIGKILL'));
process.on('exit', () => server?.kill('SIGKILL'));

/** Past S3, which needs no second signer then. */
async function put(key: string, bytes: Uint8Array): Promise<void> {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(bytes)]));
  const path = key.split('/').map(encodeURIComponent).join('/');
  const answer = await fetch(`${filer}/buckets/models/${path}`, { method: 'POST', body: form });
  assert.ok(answer.ok, await answer.text());
}

function readerWith(found: AwsCredentials | undefined): S3Source {
  const place = { endpoint, region: 'us-east-1', pathStyle: true, silenceMs: 20_000 };
  return new S3Source(new SourceGate(allowed, 'any'), { ...place, credentials: () => Promise.resolve(found) });
}

fileReaderContract('S3Source', async (_t: TestContext, files) => {
  for (const [path, bytes] of Object.entries(files)) await put(path, bytes);
  const gate = new SourceGate([{ ...allowed[0]!, path: '/m' }], 'any');
  const place = { endpoint, region: 'us-east-1', pathStyle: true, silenceMs: 20_000 };
  const reader = new S3Source(gate, { ...place, credentials: () => Promise.resolve(credentials) });
  return { reader, urlOf: (path) => new URL(`s3://models/${path.split('/').map(encodeURIComponent).join('/')}`) };
});

describe('S3Source', () => {
  test('is refused with a wrong secret, with an unknown key and without any, and says why', async () => {
    await put('m/a', Buffer.from('a'));
    const url = new URL('s3://models/m/a');
    for (const [found, reason] of [
      [{ ...credentials, secretAccessKey: 'another' }, /403.*SignatureDoesNotMatch/],
      [{ ...credentials, accessKeyId: 'nobody' }, /403.*InvalidAccessKeyId/],
      [undefined, /403.*AccessDenied/],
    ] as const) {
      await assert.rejects(readerWith(found).open(url, 0, never), { code: 'source_refused', message: reason });
    }
  });

  test('reads no bucket that is not allowed', async () => {
    const opened = readerWith(credentials).open(new URL('s3://others/m/a'), 0, never);
    await assert.rejects(opened, { code: 'source_not_allowed' });
  });
});

test('ModelFetcher brings a whole model from an S3-compatible server, by the credentials of the environment', async (t) => {
  const weights = someBytes(20 * 2 ** 20);
  const list = `${sha256('graph')}  1/model.onnx\n${sha256(weights)}  1/weights.bin\n`;
  await put('big/1/model.onnx', Buffer.from('graph'));
  await put('big/1/weights.bin', weights);
  await put('big/SHA256SUMS', Buffer.from(list));
  const options = {
    allow: 's3://models/big',
    addresses: 'any' as const,
    cacheDir: temporaryDirectory(t),
    cacheBytes: 64 * 2 ** 20,
    concurrency: 2,
    silenceMs: 20_000,
    s3: { endpoint, region: 'us-east-1', pathStyle: true },
  };
  const env = { AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
  const fetcher = await openSources(options, env, noPeers);
  const lease = await fetcher!.acquire({ url: 's3://models/big/SHA256SUMS', sha256: sha256(list) }, 1, () => {});
  assert.ok(readFileSync(join(lease.directory, '1/weights.bin')).equals(weights));
});

/** All of them together, so that none is given out twice. */
async function freePorts(count: number): Promise<number[]> {
  const listeners = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(listeners.map((listener) => once(listener, 'listening')));
  const ports = listeners.map((listener) => (listener.address() as AddressInfo).port);
  await Promise.all(listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
  return ports;
}
