/** What goes wrong around a fleet: etcd that is away or empty, frozen and doubled backends, strangers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SkeinAdapter } from '../../src/adapters/skein/skein-adapter.ts';
import { EtcdRegistry } from '../../src/fleet/etcd/etcd-registry.ts';
import { createAuthority } from '../fixtures/certificates.ts';
import { freePort, startEtcd } from '../fixtures/etcd-process.ts';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { backendOf, fleetOf, load, until } from '../fixtures/fleet-client.ts';
import {
  type MemberProcess,
  spawnMember,
  startFleet,
  startMember,
  type TestFleet,
  untilFleet,
} from '../fixtures/fleet-processes.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { processTree } from '../fixtures/process-tree.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { longestMs } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { RouterChoice } from '../fixtures/traffic/router-choice.ts';
import { describeFailures, failuresOf } from '../fixtures/traffic/sender.ts';
import { backend } from '../fleet/registry.contract.ts';

const modelCount = 60;
const warmCount = 30;
const perSecond = 100;
const awayMs = sized(10_000, 60_000);
const body = binaryRequest('', [floatTensor('input', [1, 16])]);

interface Started {
  readonly fleet: TestFleet;
  readonly models: readonly string[];
  readonly http: string;
}

async function start(
  t: TestContext,
  backends: number,
  more: Partial<Parameters<typeof startFleet>[1]> = {},
): Promise<Started> {
  const repository = temporaryDirectory(t);
  const models = writeManyModels(repository, modelCount, { kind: 'dense', sizeBytes: 2 ** 16 });
  const fleet = await startFleet(t, { repository, routers: 2, backends, models: modelCount, ...more });
  return { fleet, models, http: fleet.routers[0]!.http };
}

/** Traffic to `models` around `trouble`; fails where a request does. */
async function under(t: TestContext, fleet: TestFleet, models: readonly string[], trouble: () => Promise<void>) {
  const routers = new RouterChoice(fleet.routers.map(({ http }) => http));
  t.after(() => routers.close());
  const traffic = new OpenLoop(routers, perSecond, (i) => forModel(models[i % models.length]!, body));
  await sleep(1_000);
  await trouble();
  await sleep(1_000);
  const outcomes = await traffic.stop();
  showFigures(t, {
    requests: outcomes.length,
    failed: failuresOf(outcomes).length,
    longest: milliseconds(longestMs(outcomes)),
  });
  assert.equal(describeFailures(outcomes), '');
  return outcomes;
}

describe('a fleet whose etcd is stopped', () => {
  test('serves warm traffic, loads cold models and loses a backend without a failed request', async (t) => {
    const { fleet, models, http } = await start(t, 3);
    const warm = models.slice(0, warmCount);
    for (const model of warm) await load(http, model);
    const cold = models.slice(warmCount);
    await under(t, fleet, warm, async () => {
      await fleet.etcd.kill();
      await until('the routers say so', 20_000, async () =>
        (await fleetOf(http)).registry?.kind === 'away' ? true : undefined,
      );
      const metrics = await (await fetch(`${fleet.routers[0]!.metrics}/metrics`)).text();
      assert.match(metrics, /skein_registry_state\{state="away"\} 1/);
      for (const model of cold) await load(http, model);
      await fleet.backends[2]!.kill();
      const refused = await fetch(`${http}/fleet/models/${models[0]}`, { method: 'POST', body: '{"pinned":true}' });
      assert.equal(refused.status, 503);
      assert.match(await refused.text(), /registry does not answer/);
      await sleep(awayMs);
      await fleet.etcd.restart();
      await until('connected again', 20_000, async () =>
        (await fleetOf(http)).registry?.kind === 'connected' ? true : undefined,
      );
    });
    const { backends } = await fleetOf(http);
    assert.deepEqual(
      backends
        .filter(({ state }) => state === 'up')
        .map(({ id }) => id)
        .sort(),
      ['b1', 'b2'],
    );
  });

  test('goes on where it comes back empty, says so, and takes what an operator decides', async (t) => {
    const { fleet, models, http } = await start(t, 2);
    await under(t, fleet, models.slice(0, warmCount), async () => {
      await fleet.etcd.restart({ wiped: true });
      for (const router of fleet.routers) {
        await until('said', 20_000, async () =>
          (await fleetOf(router.http)).registry?.kind === 'emptied' ? true : undefined,
        );
      }
      assert.equal((await fleetOf(http)).models.known, modelCount);
      const fresh = await fleet.startRouter('r3');
      assert.equal((await fetch(`${fresh.http}/v2/health/ready`)).status, 400);
      const refused = await fetch(`${fresh.http}/v2/models/${models[0]}/infer`, { method: 'POST', body: '{}' });
      assert.equal(refused.status, 503, await refused.text());
      const restored = await fetch(`${http}/fleet/registry`, { method: 'POST', body: '{"decision":"restore"}' });
      assert.equal(restored.status, 200);
      for (const router of [...fleet.routers, fresh]) {
        await until('back', 20_000, async () =>
          (await fleetOf(router.http)).registry?.kind === 'connected' ? true : undefined,
        );
      }
      await untilFleet(fresh.http, 2, modelCount);
    });
    assert.equal((await fleetOf(http)).models.known, modelCount);
  });
});

describe('a fleet with a frozen backend', () => {
  test('fails no request, lets nobody wait for more than 2 s, and takes the backend back', async (t) => {
    const { fleet, models, http } = await start(t, 3);
    const warm = models.slice(0, warmCount);
    for (const model of warm) await load(http, model);
    const outcomes = await under(t, fleet, warm, async () => {
      fleet.backends[0]!.signal('SIGSTOP');
      await sleep(sized(20_000, 30_000));
      assert.notEqual(await stateOf(http, 'b1'), 'up');
      fleet.backends[0]!.signal('SIGCONT');
      await until('back', 20_000, async () => ((await stateOf(http, 'b1')) === 'up' ? true : undefined));
    });
    assert.ok(longestMs(outcomes) <= 2_500, `somebody waited ${longestMs(outcomes)} ms`);
  });
});

describe('members that may not be', () => {
  test('a second backend of the same name is told so, and the first one stays', async (t) => {
    const { fleet, http, models } = await start(t, 1);
    const second = spawnMember(t, 'backend', [
      ...['--registry', `etcd://${fleet.etcd.host}`, '--id', 'b1', '--listen', 'tcp://127.0.0.1:0'],
      ...['--models', temporaryDirectory(t), '--log-level', 'info'],
    ]);
    assert.equal(await second.exited, 1);
    showFigures(t, { said: second.log().split('\n').at(-1) ?? '' });
    assert.match(second.log(), /another backend with the name 'b1' is alive at tcp:/);
    const { turnedAway } = await fleetOf(http);
    assert.deepEqual(
      turnedAway?.map(({ role, id }) => [role, id]),
      [['backend', 'b1']],
    );
    await load(http, models[0]!);
  });

  test('a backend whose port a stranger takes as it starts does not call itself ready', async (t) => {
    const etcd = await startEtcd(t);
    const port = await freePort();
    const member = spawnMember(t, 'backend', [
      ...['--registry', `etcd://${etcd.host}`, '--id', 'b1', '--listen', `tcp://127.0.0.1:${port}`],
      ...['--models', temporaryDirectory(t), '--log-level', 'info'],
    ]);
    let isReady = false;
    member.ready.then(
      () => {
        isReady = true;
      },
      () => {}, // it is not meant to
    );
    // The port was found free by then, and its own process is still starting.
    await until('its process', 20_000, () => (processTree(member.pid).length > 1 ? true : undefined), 5);
    const taken: Socket[] = [];
    const stranger = createServer((socket) => taken.push(socket.on('error', () => {})));
    await once(stranger.listen(port, '127.0.0.1'), 'listening');
    t.after(() => {
      for (const socket of taken) socket.destroy();
      stranger.close();
    });
    assert.equal(await member.exited, 2);
    assert.equal(isReady, false);
    assert.ok(taken.length > 0, 'the stranger was asked');
    showFigures(t, { said: member.log().split('\n').at(-1) ?? '' });
    assert.match(member.log(), /backend 'b1' does not answer at tcp:\/\/127\.0\.0\.1:\d+, its process ended \d+ times/);
    assert.match(member.log(), /EADDRINUSE/);
  });

  test('an unreachable etcd is named by routers and backends, which go on trying', async (t) => {
    const registry = `etcd://127.0.0.1:${await freePort()}`;
    const ports = ['--http', '0', '--grpc', '0', '--metrics', '0'];
    const router = spawnMember(t, 'router', ['--registry', registry, ...ports]);
    const { http } = await router.ready;
    const { registry: standing } = await fleetOf(http);
    assert.equal(standing?.kind, 'starting');
    assert.match(standing?.reason ?? '', /ECONNREFUSED/);
    assert.match(router.log(), /the registry does not answer/);
    assert.equal((await fetch(`${http}/v2/health/ready`)).status, 400);
  });

  test('a wrong address of etcd is refused at once', async (t) => {
    const router = spawnMember(t, 'router', ['--registry', 'http://127.0.0.1:2379']);
    assert.notEqual(await router.exited, 0);
    assert.match(router.log(), /expected etcd:\/\//);
  });

  test('a backend with the wrong token is not let in, and everybody else is served', async (t) => {
    const tokens = temporaryDirectory(t);
    const tokenOf = (name: string, text: string) => {
      writeFileSync(join(tokens, name), text);
      return ['--link-token', join(tokens, name)];
    };
    const right = tokenOf('right', 'the secret of this fleet');
    const { fleet, http, models } = await start(t, 1, { backendArgs: right, routerArgs: right });
    await fleet.startBackend('stranger', tokenOf('wrong', 'the secret of another fleet'));
    const note = await until('said', 10_000, async () => {
      const found = (await fleetOf(http)).backends.find(({ id }) => id === 'stranger');
      return found !== undefined && /token/.test(found.reason) ? found : undefined;
    });
    showFigures(t, { state: note.state, said: note.reason });
    assert.equal(note.state, 'down');
    assert.match(fleet.routers[0]!.log(), /backend cannot be reached.*token|token.*backend cannot be reached/);
    await load(http, models[0]!);
  });

  test('links over TLS open for certificates that name the member, and for no others', async (t) => {
    const directory = temporaryDirectory(t);
    const authority = createAuthority(directory);
    const certified = (name: string, others?: readonly string[]) => {
      const { certPath, keyPath } = authority.issue(name, others);
      return ['--link-ca', authority.caPath, '--link-cert', certPath, '--link-key', keyPath];
    };
    const { fleet, http, models } = await start(t, 0, { routerArgs: certified('routers', ['r1', 'r2']), models: 0 });
    await fleet.startBackend('b1', certified('b1'));
    await assert.rejects(
      fleet.startBackend('b2', certified('somebody-else')),
      /the certificate in .* is not made out to 'b2'/,
    );
    await announceElsewhere(t, fleet, 'b2', (await backendOf(http, 'b1')).address);
    await until('b1 is up', 10_000, async () => ((await backendOf(http, 'b1')).state === 'up' ? true : undefined));
    await untilKnown(fleet.routers[0]!);
    await load(http, models[0]!);
    const { state, reason } = await until('refused', 10_000, async () => {
      const found = (await fleetOf(http)).backends.find(({ id }) => id === 'b2');
      return found !== undefined && found.reason !== '' ? found : undefined;
    });
    showFigures(t, { state, reason });
    assert.equal(state, 'down');
    assert.match(reason, /not made out to 'b2'/);
  });

  test("a router with a backend's certificate does not start, and gets no link where it does not look at its own", async (t) => {
    const authority = createAuthority(temporaryDirectory(t));
    const certified = (name: string) => {
      const { certPath, keyPath } = authority.issue(name);
      return ['--link-ca', authority.caPath, '--link-cert', certPath, '--link-key', keyPath];
    };
    const etcd = await startEtcd(t);
    const registry = ['--registry', `etcd://${etcd.host}`];
    const router = spawnMember(t, 'router', [...registry, '--id', 'r1', ...certified('b1')]);
    assert.notEqual(await router.exited, 0);
    assert.match(router.log(), /the certificate in .* is not made out to 'r1'/);

    const [port, models] = [await freePort(), temporaryDirectory(t)];
    const listen = ['--id', 'b1', '--listen', `tcp://127.0.0.1:${port}`, '--models', models, '--log-level', 'info'];
    const b1 = await startMember(t, 'backend', [...registry, ...listen, ...certified('b1')]);
    const linkAs = async (id: string, certificateOf: string) => {
      const adapter = new SkeinAdapter(
        { id, software: 'test' },
        { ca: authority.ca, ...authority.issue(certificateOf) },
      );
      const target = { id: 'b1', kind: 'skein', address: `tcp://127.0.0.1:${port}`, engines: [] };
      const nobody = { onState: () => {}, onStalled: () => {}, onLost: () => {} };
      const session = await adapter.connect(target, nobody, AbortSignal.timeout(10_000));
      session.close('it was let in');
    };
    const refusal = /the certificate that router 'r1' shows is not made out to 'r1'/;
    await assert.rejects(linkAs('r1', 'b1'), refusal);
    await until('the backend says so', 5_000, () => (refusal.test(b1.log()) ? true : undefined));
    await linkAs('r1', 'r1');
    const lines = b1.log().split('\n');
    showFigures(t, { said: lines.find((line) => refusal.test(line)) ?? '' });
  });
});

/** A name for a backend that answers to another one. */
async function announceElsewhere(t: TestContext, { etcd }: TestFleet, id: string, address: string): Promise<void> {
  const endpoints = [`http://${etcd.host}`];
  const registry = new EtcdRegistry({ endpoints, user: '', password: '', prefix: '/skein/', log: () => {} });
  t.after(() => registry.close());
  await until('connected', 10_000, () => (registry.standing.kind === 'connected' ? true : undefined));
  await registry.announce({ ...backend(id), address }, { ttlMs: 3_000, isAlive: async () => false, onTaken: () => {} });
}

/** Undefined for one that the router has forgotten. */
async function stateOf(http: string, id: string): Promise<string | undefined> {
  return (await fleetOf(http)).backends.find((backend) => backend.id === id)?.state;
}

async function untilKnown({ http }: MemberProcess): Promise<void> {
  await until('models are known', 10_000, async () =>
    (await fleetOf(http)).models.known === modelCount ? true : undefined,
  );
}

describe('a fleet with requirements', () => {
  test('places models by engine, label and taint', async (t) => {
    const { fleet, http, models } = await start(t, 1);
    await fleet.startBackend('costly', ['--labels', 'gpu=a100', '--taints', 'gpu', '--zone', 'east']);
    await untilFleet(http, 2, modelCount);
    const [fast, usual] = models as [string, string];
    const changed = await fetch(`${http}/fleet/models/${fast}`, {
      method: 'POST',
      body: '{"requires":{"gpu":"a100"}}',
    });
    assert.equal(changed.status, 200);
    await sleep(500);
    for (const model of [fast, usual]) await load(http, model);
    const placed = async (model: string) => {
      const { copies } = (await (await fetch(`${http}/fleet/models/${model}`)).json()) as {
        copies: { backend: string }[];
      };
      return copies.map(({ backend }) => backend);
    };
    assert.deepEqual(await placed(fast), ['costly']);
    assert.deepEqual(await placed(usual), ['b1']);
  });

  test('finds a model that is registered by its path', async (t) => {
    const { fleet, http } = await start(t, 1);
    const repository = temporaryDirectory(t);
    mkdirSync(join(repository, 'deep'));
    writeManyModels(join(repository, 'deep'), 1, { kind: 'dense', sizeBytes: 2 ** 10 }, 'ranker_');
    await fleet.startBackend('b2', ['--models', repository]);
    await untilFleet(http, 2, modelCount);
    const answer = await fetch(`${http}/fleet/models/ranker_000`, {
      method: 'POST',
      body: '{"path":"deep/ranker_000"}',
    });
    assert.equal(answer.status, 200, await answer.text());
    let said = '';
    await until('loaded', 10_000, () =>
      load(http, 'ranker_000').then(
        () => true as const,
        (fault: Error) => {
          said = fault.message;
          return undefined;
        },
      ),
    ).catch(() => assert.fail(said));
    const missing = await fetch(`${http}/fleet/models/nothing`, { method: 'POST', body: '{}' });
    assert.equal(missing.status, 404);
    assert.match(await missing.text(), /no backend has a model at 'nothing'/);
  });
});
