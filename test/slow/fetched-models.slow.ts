/** A fleet whose backends have no model directory: entries say where models are, a real web server has them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeBenchModels } from '../../examples/models/write-bench-models.ts';
import { startEtcd } from '../fixtures/etcd-process.ts';
import { until } from '../fixtures/fleet-client.ts';
import { type MemberProcess, startMember } from '../fixtures/fleet-processes.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { type FileServer, sha256, startFileServer } from '../fleet/sources/file-server.ts';

describe('A fleet that fetches its models', () => {
  let server: FileServer;
  let router: MemberProcess;
  let digest = '';
  const ends: (() => unknown)[] = [];
  const owner = { after: (end: () => unknown) => void ends.unshift(end) };
  after(async () => {
    for (const end of ends) await end();
  });

  before(async () => {
    const directory = temporaryDirectory(owner);
    writeBenchModels(directory, ['identity']);
    server = await startFileServer(owner);
    const files = ['1/model.onnx', 'config.pbtxt'].map(
      (path) => [path, readFileSync(join(directory, 'identity', path))] as const,
    );
    for (const [path, bytes] of files) server.files.set(`/identity/${path}`, bytes);
    const list = files.map(([path, bytes]) => `${sha256(bytes)}  ${path}\n`).join('');
    server.files.set('/identity/SHA256SUMS', Buffer.from(list));
    digest = sha256(list);
    const registry = ['--registry', `etcd://${(await startEtcd(owner)).host}`];
    const fetches = ['--source-allow', server.origin, '--source-addresses', 'any', '--memory', '256MiB'];
    await startMember(owner, 'backend', [...registry, '--id', 'b1', '--listen', 'tcp://127.0.0.1:0', ...fetches]);
    router = await startMember(owner, 'router', [
      ...registry,
      '--id',
      'r1',
      '--http',
      '0',
      '--grpc',
      '0',
      '--metrics',
      '0',
    ]);
  });

  const register = (name: string, sha: string) =>
    post(`/fleet/models/${name}`, { source: { url: `${server.origin}/identity/SHA256SUMS`, sha256: sha } });
  const post = (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    return fetch(`${router.http}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  };
  const ask = (name: string) => {
    const data = Array.from({ length: 16 }, (_, i) => i);
    return post(`/v2/models/${name}/infer`, { inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 16], data }] });
  };

  test('loads a model that an entry says the place of, and tells of the bytes', async () => {
    const registered = await register('identity', digest);
    assert.equal(registered.status, 200, await registered.text());
    await until('the model is known', 10_000, async () => ((await ask('identity')).status === 200 ? true : undefined));
    const metrics = await (await fetch(`${router.metrics}/metrics`)).text();
    assert.match(metrics, /skein_source_fetches\{backend="b1"\} 3/);
    assert.equal(server.requests.length, 3);
  });

  test('refuses one whose digest is another, and serves the others', async () => {
    await register('identity-forged', sha256('another'));
    const answer = await until('it is refused', 10_000, async () => {
      const text = await (await ask('identity-forged')).text();
      return text.includes('SHA-256') ? text : undefined;
    });
    assert.match(answer, /the catalogue says/);
    assert.equal((await ask('identity')).status, 200);
  });
});
