/** The registry over a real etcd: the contract of every registry, and what only a store that can be lost brings up. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CatalogueEntry } from '../../src/fleet/catalogue-entry.ts';
import { EtcdClient } from '../../src/fleet/etcd/etcd-client.ts';
import { decodeBytes, encodeBytes, rangeEndOf } from '../../src/fleet/etcd/etcd-messages.ts';
import { EtcdRegistry, type EtcdRegistryOptions } from '../../src/fleet/etcd/etcd-registry.ts';
import { createAuthority } from '../fixtures/certificates.ts';
import { type EtcdProcess, freePort, startEtcd, startEtcdCluster } from '../fixtures/etcd-process.ts';
import { showFigures } from '../fixtures/figures.ts';
import { until } from '../fixtures/fleet-client.ts';
import { startLosingProxy } from '../fixtures/losing-proxy.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { backend, modelRecord, registryContract } from '../fleet/registry.contract.ts';

const withinMs = 20_000;
const alone = { ttlMs: 3_000, isAlive: async () => false, onTaken: () => {} };

registryContract('EtcdRegistry', async (t) => {
  const etcd = await startEtcd(t);
  return () => registryOf(etcd);
});

describe('EtcdRegistry', () => {
  test('goes on with what it knows while etcd is away, and catches up when it is back', async (t) => {
    const etcd = await startEtcd(t);
    const [one, other] = await connected(t, etcd);
    await one.putEntry(modelRecord('a'));
    await one.announce(backend('b1'), alone);
    await until('known', withinMs, () => other.snapshot.backends.get('b1') && other.snapshot.entries.get('a'));
    await etcd.kill();
    await until('away', withinMs, () => (other.standing.kind === 'away' ? true : undefined));
    assert.ok(other.snapshot.entries.has('a') && other.snapshot.backends.has('b1'));
    await assert.rejects(one.putEntry(modelRecord('b')), { code: 'registry_unreachable' });
    await etcd.restart();
    await until('back', withinMs, () => (other.standing.kind === 'connected' ? true : undefined));
    await one.putEntry(modelRecord('c'));
    await until('told', withinMs, () => other.snapshot.entries.get('c'));
    await sleep(4_000);
    assert.ok(other.snapshot.backends.has('b1'), 'the member is announced again where its lease ran out');
  });

  test('reads everything again where what happened meanwhile was compacted', async (t) => {
    const etcd = await startEtcd(t);
    const [one, other] = await connected(t, etcd);
    for (const name of ['a', 'b', 'c']) await one.putEntry(modelRecord(name));
    await until('known', withinMs, () => other.snapshot.entries.get('c'));
    await etcd.kill();
    await until('away', withinMs, () => (other.standing.kind === 'away' ? true : undefined));
    await etcd.restart();
    const key = encodeBytes('/skein/models/a');
    const { header } = (await etcd.call('/kv/deleterange', { key })) as { header: { revision: string } };
    await etcd.call('/kv/compaction', { revision: header.revision });
    await until('gone', withinMs, () => (other.snapshot.entries.has('a') ? undefined : true));
    assert.deepEqual([...other.snapshot.entries.keys()], ['b', 'c']);
  });

  test('writes back what a newer version has said of an entry, and what that version changes meanwhile', async (t) => {
    const etcd = await startEtcd(t);
    const [one] = await connected(t, etcd);
    await putRaw(etcd, 'a', { ...modelRecord('a'), tier: 2 });
    await until('known', withinMs, () => (isLater(one, 'a') ? true : undefined));
    const { revision } = one.snapshot.entries.get('a')!;
    const changed = await one.putEntry({ ...modelRecord('a'), pinned: true }, revision);
    assert.deepEqual(await rawOf(etcd, 'a'), { tier: 2, ...modelRecord('a'), pinned: true });
    await putRaw(etcd, 'a', { ...modelRecord('a'), tier: 3 });
    await assert.rejects(one.putEntry(modelRecord('a'), changed), { code: 'registry_conflict' });
    await one.removeEntry('a');
    await until('gone', withinMs, () => (one.snapshot.entries.has('a') ? undefined : true));
    await one.putEntry(modelRecord('a'));
    assert.deepEqual(await rawOf(etcd, 'a'), modelRecord('a'));
  });

  for (const decision of ['restore', 'accept'] as const) {
    test(`keeps what it knows where etcd comes back empty, until somebody decides to ${decision}`, async (t) => {
      const etcd = await startEtcd(t);
      const [one, other] = await connected(t, etcd);
      for (let i = 0; i < 6; i++) await one.putEntry(modelRecord(`m${i}`));
      await putRaw(etcd, 'm5', { ...modelRecord('m5'), tier: 2 });
      await one.announce(backend('b1'), alone);
      await until('known', withinMs, () => (isLater(one, 'm5') && isLater(other, 'm5') ? true : undefined));
      await etcd.restart({ wiped: true });
      for (const registry of [one, other]) {
        await until('seen', withinMs, () => (registry.standing.kind === 'emptied' ? true : undefined));
        assert.equal(registry.snapshot.entries.size, 6);
      }
      await assert.rejects(one.putEntry(modelRecord('new')), { code: 'registry_emptied' });
      await one.decide(decision);
      for (const registry of [one, other]) {
        await until('decided', withinMs, () => (registry.standing.kind === 'connected' ? true : undefined));
        assert.equal(registry.snapshot.entries.size, decision === 'restore' ? 6 : 0);
      }
      await until('announced again', withinMs, () => other.snapshot.backends.get('b1'));
      const [fresh] = await connected(t, etcd);
      assert.equal(fresh.snapshot.entries.size, decision === 'restore' ? 6 : 0);
      assert.equal(isLater(fresh, 'm5'), decision === 'restore');
    });
  }

  test('takes keys that vanish all at once for a loss, and keys that are removed by Skein for a wish', async (t) => {
    const etcd = await startEtcd(t);
    const [one, other] = await connected(t, etcd);
    for (let i = 0; i < 6; i++) await one.putEntry(modelRecord(`m${i}`));
    await until('known', withinMs, () => (other.snapshot.entries.size === 6 ? true : undefined));
    await etcd.call('/kv/deleterange', { key: encodeBytes('/skein/models/'), range_end: rangeEndOf('/skein/models/') });
    await until('seen', withinMs, () => (other.standing.kind === 'emptied' ? true : undefined));
    assert.equal(other.snapshot.entries.size, 6);
  });

  test('uses another endpoint where one does not answer', async (t) => {
    const etcd = await startEtcd(t);
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const registry = registryOf(etcd, { endpoints: [nobody, `http://${etcd.host}`] });
    t.after(() => registry.close());
    await until('connected', withinMs, () => (registry.standing.kind === 'connected' ? true : undefined));
    await registry.putEntry(modelRecord('a'));
  });

  test('goes over to another member of a cluster when the one that it watches is frozen, and to a third', async (t) => {
    const cluster = await startEtcdCluster(t, 3);
    const endpoints = cluster.map(({ host }) => `http://${host}`);
    const watcher = registryOf(cluster[0]!, { endpoints });
    const writer = registryOf(cluster[2]!, { endpoints: endpoints.toReversed() });
    t.after(() => Promise.all([watcher, writer].map((registry) => registry.close())));
    for (const registry of [watcher, writer]) {
      await until('connected', withinMs, () => (registry.standing.kind === 'connected' ? true : undefined));
    }
    await watcher.announce(backend('b1'), alone);
    for (const at of [0, 1]) {
      process.kill(cluster[at]!.pid, 'SIGSTOP');
      await untilPut(writer, modelRecord(`m${at}`));
      await until('told', withinMs, () => watcher.snapshot.entries.get(`m${at}`));
      await until('announced', withinMs, () => writer.snapshot.backends.get('b1'));
      process.kill(cluster[at]!.pid, 'SIGCONT');
    }
    assert.equal(watcher.standing.kind, 'connected');
  });

  test('has its watch ended by a member of a cluster that has lost its leader', async (t) => {
    const cluster = await startEtcdCluster(t, 3);
    const client = new EtcdClient({ endpoints: [`http://${cluster[0]!.host}`], user: '', password: '' });
    t.after(() => client.close());
    const [key, range_end] = [encodeBytes('/skein/'), rangeEndOf('/skein/')];
    const answers = client.stream('/watch', { create_request: { key, range_end } }, AbortSignal.timeout(withinMs));
    await answers.next(); // it is there
    for (const { pid } of cluster.slice(1)) process.kill(pid, 'SIGSTOP');
    await assert.rejects(answers.next(), { code: 'registry_unreachable', message: /no leader/ });
  });

  test('tells of a change after one whose answer was lost', async (t) => {
    const etcd = await startEtcd(t);
    const losing = await startLosingProxy(t, etcd.host);
    const [other] = await connected(t, etcd);
    const registry = registryOf(etcd, { endpoints: [losing.url] });
    t.after(() => registry.close());
    await until('connected', withinMs, () => (registry.standing.kind === 'connected' ? true : undefined));
    const member = backend('b1');
    const announced = await registry.announce(member, alone);
    losing.loseOne('/v3/kv/txn');
    await announced.update({ ...member, zone: 'z2' });
    assert.equal(losing.lost, 1);
    await until('told', withinMs, () => (other.snapshot.backends.get('b1')?.zone === 'z2' ? true : undefined));
    await announced.update({ ...member, leaving: true });
    await until('told', withinMs, () => (other.snapshot.backends.get('b1')?.leaving === true ? true : undefined));
  });

  test('notices a frozen etcd, and one that is there again', async (t) => {
    const etcd = await startEtcd(t);
    const [registry] = await connected(t, etcd);
    process.kill(etcd.pid, 'SIGSTOP');
    await until('away', withinMs, () => (registry.standing.kind === 'away' ? true : undefined));
    process.kill(etcd.pid, 'SIGCONT');
    await until('back', withinMs, () => (registry.standing.kind === 'connected' ? true : undefined));
  });

  test('logs in with user and password, and says so where they are wrong', async (t) => {
    const etcd = await startEtcd(t, { args: ['--auth-token-ttl', '2'] });
    await etcd.call('/auth/user/add', { name: 'root', password: 'secret' });
    await etcd.call('/auth/user/grant', { user: 'root', role: 'root' });
    await etcd.call('/auth/enable', {});
    const registry = registryOf(etcd, { user: 'root', password: 'secret' });
    t.after(() => registry.close());
    await until('connected', withinMs, () => (registry.standing.kind === 'connected' ? true : undefined));
    await registry.putEntry(modelRecord('a'));
    await sleep(3_500); // its token runs out
    await registry.putEntry(modelRecord('b'));
    for (const wrong of [{ user: 'root', password: 'guess' }, { user: '' }]) {
      const stranger = registryOf(etcd, wrong);
      t.after(() => stranger.close());
      const said = await until('refused', withinMs, () =>
        /refuses/.test(stranger.standing.reason) ? stranger.standing.reason : undefined,
      );
      showFigures(t, { said });
      await assert.rejects(stranger.announce(backend('b9'), alone), { code: 'registry_refused' });
    }
  });

  test('goes on with tokens that are signed when users change', async (t) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const directory = temporaryDirectory(t);
    const [pub, priv] = [join(directory, 'public.pem'), join(directory, 'private.pem')];
    writeFileSync(pub, publicKey.export({ type: 'spki', format: 'pem' }));
    writeFileSync(priv, privateKey.export({ type: 'pkcs1', format: 'pem' }));
    const jwt = `jwt,pub-key=${pub},priv-key=${priv},sign-method=RS256,ttl=30s`;
    const etcd = await startEtcd(t, { args: ['--auth-token', jwt] });
    await etcd.call('/auth/user/add', { name: 'root', password: 'secret' });
    await etcd.call('/auth/user/grant', { user: 'root', role: 'root' });
    await etcd.call('/auth/role/add', { name: 'skein' });
    const [key, range_end] = [encodeBytes('/skein/'), rangeEndOf('/skein/')];
    await etcd.call('/auth/role/grant', { name: 'skein', perm: { permType: 'READWRITE', key, range_end } });
    await etcd.call('/auth/user/add', { name: 'fleet', password: 'secret' });
    await etcd.call('/auth/user/grant', { user: 'fleet', role: 'skein' });
    await etcd.call('/auth/enable', {});
    // A user that may do nothing beyond the fleet's own keys.
    const [one, other] = [1, 2].map(() => registryOf(etcd, { user: 'fleet', password: 'secret' })) as [
      EtcdRegistry,
      EtcdRegistry,
    ];
    t.after(() => Promise.all([one, other].map((registry) => registry.close())));
    for (const registry of [one, other]) {
      await until('connected', withinMs, () => (registry.standing.kind === 'connected' ? true : undefined));
    }
    const member = backend('b1');
    const announced = await one.announce(member, alone);
    await one.putEntry(modelRecord('a'));
    const admin = new EtcdClient({ endpoints: [`http://${etcd.host}`], user: 'root', password: 'secret' });
    t.after(() => admin.close());
    await admin.call('/auth/user/add', { name: 'somebody', password: 'else' });
    await one.putEntry(modelRecord('b'));
    await announced.update({ ...member, leaving: true });
    await until('told', withinMs, () => other.snapshot.entries.get('b'));
    await until('told', withinMs, () => (other.snapshot.backends.get('b1')?.leaving === true ? true : undefined));
  });

  test('speaks TLS with a certificate of its own, and says what is wrong with others', async (t) => {
    const directory = temporaryDirectory(t);
    const authority = createAuthority(directory);
    const server = authority.issue('etcd');
    const client = authority.issue('router-1');
    const args = ['--cert-file', server.certPath, '--key-file', server.keyPath];
    const etcd = await startEtcd(t, {
      tls: true,
      args: [...args, '--trusted-ca-file', authority.caPath, '--client-cert-auth'],
    });
    const endpoints = [`https://${etcd.host}`];
    const registry = registryOf(etcd, { endpoints, tls: { ca: authority.ca, cert: client.cert, key: client.key } });
    t.after(() => registry.close());
    await until('connected', withinMs, () => (registry.standing.kind === 'connected' ? true : undefined));
    await registry.putEntry(modelRecord('a'));
    for (const tls of [{ ca: authority.ca }, { ca: createAuthority(directory, 'another').ca }]) {
      const stranger = registryOf(etcd, { endpoints, tls });
      t.after(() => stranger.close());
      const said = await until('refused', withinMs, () =>
        /certificate|handshake|SSL|alert/i.test(stranger.standing.reason) ? stranger.standing.reason : undefined,
      ).catch(() => assert.fail(stranger.standing.reason));
      showFigures(t, { said });
    }
  });
});

function registryOf(etcd: EtcdProcess, options: Partial<EtcdRegistryOptions> = {}): EtcdRegistry {
  return new EtcdRegistry({
    endpoints: [`http://${etcd.host}`],
    user: '',
    password: '',
    prefix: '/skein/',
    log: () => {},
    ...options,
  });
}

/** While a cluster chooses its leader anew nobody can write. */
async function untilPut(registry: EtcdRegistry, entry: CatalogueEntry): Promise<void> {
  await until('written', withinMs, () =>
    registry.putEntry(entry).then(
      () => true as const,
      () => undefined,
    ),
  );
}

/** Two members, both connected. */
async function connected(t: TestContext, etcd: EtcdProcess): Promise<[EtcdRegistry, EtcdRegistry]> {
  const registries: [EtcdRegistry, EtcdRegistry] = [registryOf(etcd), registryOf(etcd)];
  t.after(() => Promise.all(registries.map((registry) => registry.close())));
  for (const registry of registries) {
    await until('connected', withinMs, () => (registry.standing.kind === 'connected' ? true : undefined));
  }
  return registries;
}

/** As a member of another version would write it. */
async function putRaw(etcd: EtcdProcess, model: string, value: unknown): Promise<void> {
  const key = encodeBytes(`/skein/models/${model}`);
  await etcd.call('/kv/put', { key, value: encodeBytes(JSON.stringify(value)) });
}

async function rawOf(etcd: EtcdProcess, model: string): Promise<unknown> {
  const { kvs } = (await etcd.call('/kv/range', { key: encodeBytes(`/skein/models/${model}`) })) as {
    kvs: { value: string }[];
  };
  return JSON.parse(decodeBytes(kvs[0]!.value));
}

function isLater({ snapshot }: EtcdRegistry, model: string): boolean {
  return snapshot.entries.get(model)?.later !== undefined;
}
