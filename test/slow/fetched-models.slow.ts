/** A fleet whose backends have no model directory: entries say where models are, a real web server has them. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeBenchModels } from '../../examples/models/write-bench-models.ts';
import { backendKeyText } from '../../src/protocol/link/link-proof.ts';
import { createAuthority } from '../fixtures/certificates.ts';
import { startEtcd } from '../fixtures/etcd-process.ts';
import { showFigures } from '../fixtures/figures.ts';
import { modelOf, until } from '../fixtures/fleet-client.ts';
import { type MemberProcess, startMember } from '../fixtures/fleet-processes.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { type FileServer, sha256, startFileServer } from '../fleet/sources/file-server.ts';

type Owner = Parameters<typeof startEtcd>[0];

/** Long enough under way to be caught at it. */
const bulkyBytes = 96 * 2 ** 20;

/** What members show each other, by their ids. */
type GuardOf = (id: string) => readonly string[];

interface FetchingFleet {
  readonly server: FileServer;
  readonly router: MemberProcess;
  readonly backends: Map<string, MemberProcess>;
  /** Of the list of the files of `identity`. */
  readonly digest: string;
  startBackend(id: string): Promise<void>;
  register(name: string, sha: string): Promise<Response>;
  post(path: string, body: unknown): Promise<Response>;
  /** One inference. */
  ask(name: string): Promise<Response>;
  metrics(): Promise<string>;
}

/** A web server with one model, a router, and a backend b1 that has no model directory. */
async function startFetchingFleet(owner: Owner, guardOf: GuardOf): Promise<FetchingFleet> {
  const directory = temporaryDirectory(owner);
  writeBenchModels(directory, ['identity']);
  const server = await startFileServer(owner);
  const files = ['1/model.onnx', 'config.pbtxt'].map(
    (path) => [path, readFileSync(join(directory, 'identity', path))] as const,
  );
  for (const [path, bytes] of files) server.files.set(`/identity/${path}`, bytes);
  const list = files.map(([path, bytes]) => `${sha256(bytes)}  ${path}\n`).join('');
  server.files.set('/identity/SHA256SUMS', Buffer.from(list));
  const registry = ['--registry', `etcd://${(await startEtcd(owner)).host}`];
  const fetches = ['--source-allow', server.origin, '--source-addresses', 'any', '--memory', '256MiB'];
  const backends = new Map<string, MemberProcess>();
  const startBackend = async (id: string) => {
    const args = [...registry, ...guardOf(id), '--id', id, '--listen', 'tcp://127.0.0.1:0', ...fetches];
    backends.set(id, await startMember(owner, 'backend', args));
  };
  await startBackend('b1');
  const ports = ['--http', '0', '--grpc', '0', '--metrics', '0'];
  const router = await startMember(owner, 'router', [...registry, ...guardOf('r1'), '--id', 'r1', ...ports]);
  const post = (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    return fetch(`${router.http}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  };
  return {
    ...{ server, router, backends, digest: sha256(list), startBackend, post },
    register: (name, sha) =>
      post(`/fleet/models/${name}`, { source: { url: `${server.origin}/identity/SHA256SUMS`, sha256: sha } }),
    ask: (name) => {
      const data = Array.from({ length: 16 }, (_, i) => i);
      return post(`/v2/models/${name}/infer`, { inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 16], data }] });
    },
    metrics: async () => (await fetch(`${router.metrics}/metrics`)).text(),
  };
}

/** Asks for the model until it is served, then for a second copy of it on b2; resolves with the metrics once b2 has fetched it. */
async function fetchTwice({ register, digest, ask, server, startBackend, post, metrics }: FetchingFleet) {
  assert.equal((await register('identity', digest)).status, 200);
  await until('the model is served', 10_000, async () => ((await ask('identity')).status === 200 ? true : undefined));
  server.requests.length = 0;
  await startBackend('b2');
  await post('/fleet/models/identity', { minCopies: 2 });
  return until('b2 has fetched it', 20_000, async () => {
    const text = await metrics();
    return /skein_source_fetches\{backend="b2"\} 3/.test(text) ? text : undefined;
  });
}

describe('A fleet whose links are over TLS', () => {
  test('brings a second copy from the backend that has one, each by its own certificate', async (t) => {
    const authority = createAuthority(temporaryDirectory(t));
    const fleet = await startFetchingFleet(t, (id) => {
      const { certPath, keyPath } = authority.issue(id);
      return ['--link-ca', authority.caPath, '--link-cert', certPath, '--link-key', keyPath];
    });
    assert.match(await fetchTwice(fleet), /skein_source_peer_fetches\{backend="b2"\} 3/);
    assert.deepEqual(fleet.server.requests, []);
  });
});

describe('A fleet whose backends have a key of their own each', () => {
  test('brings a second copy from the backend that has one, by the ticket that the router gives it', async (t) => {
    const secret = 'the secret of this fleet';
    const tokens = temporaryDirectory(t);
    const fleet = await startFetchingFleet(t, (id) => {
      const path = join(tokens, id);
      writeFileSync(path, id.startsWith('r') ? secret : backendKeyText(secret, id));
      return ['--link-token', path];
    });
    assert.match(await fetchTwice(fleet), /skein_source_peer_fetches\{backend="b2"\} 3/);
    assert.deepEqual(fleet.server.requests, []);
    assert.equal((await fleet.ask('identity')).status, 200);
  });
});

describe('A fleet that fetches its models', () => {
  let fleet: FetchingFleet;
  const ends: (() => unknown)[] = [];
  const owner = { after: (end: () => unknown) => void ends.unshift(end) };
  after(async () => {
    for (const end of ends) await end();
  });
  before(async () => {
    const token = join(temporaryDirectory(owner), 'token');
    writeFileSync(token, 'the secret of this fleet');
    fleet = await startFetchingFleet(owner, () => ['--link-token', token]);
  });

  test('loads a model that an entry says the place of, and tells of the bytes', async () => {
    const { register, ask, server, digest, metrics } = fleet;
    const registered = await register('identity', digest);
    assert.equal(registered.status, 200, await registered.text());
    await until('the model is known', 10_000, async () => ((await ask('identity')).status === 200 ? true : undefined));
    await until('b1 says what it fetched', 5_000, async () =>
      /skein_source_fetches\{backend="b1"\} 3/.test(await metrics()) ? true : undefined,
    );
    assert.equal(server.requests.length, 3);
  });

  test('refuses one whose digest is another, and serves the others', async () => {
    const { register, ask } = fleet;
    await register('identity-forged', sha256('another'));
    const answer = await until('it is refused', 10_000, async () => {
      const text = await (await ask('identity-forged')).text();
      return text.includes('SHA-256') ? text : undefined;
    });
    assert.match(answer, /the catalogue says/);
    assert.equal((await ask('identity')).status, 200);
  });

  test('brings a second copy from the backend that has one, and does not ask the web server', async (t) => {
    const { server, startBackend, post, metrics } = fleet;
    server.requests.length = 0;
    await startBackend('b2');
    await post('/fleet/models/identity', { minCopies: 2 });
    const figures = await until('b2 has fetched it', 20_000, async () => {
      const text = await metrics();
      return /skein_source_fetches\{backend="b2"\} 3/.test(text) ? text : undefined;
    });
    assert.match(figures, /skein_source_peer_fetches\{backend="b2"\} 3/);
    assert.deepEqual(server.requests, []);
    await until('b1 says what it gave', 5_000, async () =>
      /skein_source_peer_offered_bytes\{backend="b1"\} [1-9]/.test(await metrics()) ? true : undefined,
    );
    showFigures(t, { 'requests to the web server': server.requests.length });
  });

  test('goes on at the web server when the backend that sends a file is killed', async (t) => {
    const { server, router, backends, startBackend, post, ask } = fleet;
    const bulky = Buffer.alloc(bulkyBytes, 'bulky');
    const files = { '1/weights.bin': bulky, '1/model.onnx': server.files.get('/identity/1/model.onnx')! };
    const sums = Object.entries(files)
      .map(([path, bytes]) => `${sha256(bytes)}  ${path}\n`)
      .join('');
    for (const [path, bytes] of Object.entries(files)) server.files.set(`/bulky/${path}`, bytes);
    server.files.set('/bulky/SHA256SUMS', Buffer.from(sums));
    await startBackend('b3');
    await post('/fleet/models/bulky', { source: { url: `${server.origin}/bulky/SHA256SUMS`, sha256: sha256(sums) } });
    await until('it is served', 30_000, async () => ((await ask('bulky')).status === 200 ? true : undefined));
    const holder = await until(
      'its backend',
      5_000,
      async () => (await modelOf(router.http, 'bulky')).copies[0]?.backend,
    );
    server.requests.length = 0;
    await post('/fleet/models/bulky', { minCopies: 3 });
    const isUnderWay = async () => {
      const { copies } = await modelOf(router.http, 'bulky');
      return copies.some(({ fetchedPercent = 0 }) => fetchedPercent > 0 && fetchedPercent < 100) ? true : undefined;
    };
    await until('it is being fetched', 20_000, isUnderWay, 5);
    await backends.get(holder)!.kill();
    await until('it is served elsewhere', 30_000, async () => {
      const { copies } = await modelOf(router.http, 'bulky');
      return copies.some(({ backend, phase }) => backend !== holder && phase === 'ready') ? true : undefined;
    });
    showFigures(t, { asked: server.requests.join(', ') });
    assert.ok(
      server.requests.some((asked) => /weights\.bin bytes=[1-9]/.test(asked)),
      'it went on where it was',
    );
    assert.equal((await ask('bulky')).status, 200);
  });
});
