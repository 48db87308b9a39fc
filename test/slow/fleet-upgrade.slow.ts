/**
 * A fleet of an earlier version whose processes are replaced one at a time, under traffic: neighbours of every kind meet.
 * Links are guarded by token and certificates, whose handshakes differ most between versions.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { softwareVersion } from '../../src/cli/software-version.ts';
import { createAuthority } from '../fixtures/certificates.ts';
import { checkOutEarlier, type EarlierVersion } from '../fixtures/earlier-version.ts';
import { freePort } from '../fixtures/etcd-process.ts';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { fleetOf, load, modelOf, until } from '../fixtures/fleet-client.ts';
import { type MemberProcess, startFleet, type TestFleet, untilFleet } from '../fixtures/fleet-processes.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { longestMs } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { RouterChoice } from '../fixtures/traffic/router-choice.ts';
import { describeFailures, failuresOf, Sender } from '../fixtures/traffic/sender.ts';

/**
 * The first is before the convictions in the registry, the marks of models out of service and the certificates of routers:
 * as much as can lie between two neighbours. Those before it called models unknown while their own routers started. At
 * full size also the one just before this suite came to be.
 */
const longBefore = 'b03a5e492bd4edeb81112e5c78f911ee61b36276';
const justBefore = '7a84b5a00e4cc4da6adb14cd63856307931e3626';
const earlierCommits = sized([longBefore], [longBefore, justBefore]);

const modelCount = 40;
const perSecond = sized(100, 300);
const calmMs = sized(1_000, 5_000);
const body = binaryRequest('', [floatTensor('input', [1, 16])]);
const routerIds = ['r1', 'r2'];
const backendIds = ['b1', 'b2', 'b3'];

/** Each model says its number in the last four bytes of its answer. */
const checkAnswer: ConstructorParameters<typeof RouterChoice>[1] = ({ model }, answer) => {
  const found = answer.readFloatLE(answer.length - 4);
  return model.endsWith(`_${String(found).padStart(3, '0')}`) ? undefined : `${model} was answered by ${found}`;
};

for (const commit of earlierCommits) {
  describe(`a fleet of ${commit.slice(0, 7)} that is upgraded process by process`, () => {
    const ends: (() => unknown)[] = [];
    const owner = { after: (end: () => unknown) => void ends.unshift(end) };
    const repository = temporaryDirectory({ after });
    const members = new Map<string, MemberProcess>();
    const versions = new Map<string, string>();
    const argsOf = new Map<string, readonly string[]>();
    const met = new Set<string>();
    let earlier: EarlierVersion;
    let fleet: TestFleet;
    let models: readonly string[];
    let routers: RouterChoice;
    let traffic: OpenLoop;

    before(async () => {
      earlier = checkOutEarlier(owner, commit);
      models = writeManyModels(repository, modelCount, { kind: 'dense', sizeBytes: 2 ** 16 });
      mkdirSync(join(repository, 'deep'));
      writeManyModels(join(repository, 'deep'), 10, { kind: 'dense', sizeBytes: 2 ** 16 }, 'later_');
      const states = temporaryDirectory(owner);
      const token = join(states, 'token');
      writeFileSync(token, 'the secret of this fleet');
      const authority = createAuthority(states);
      for (const id of [...routerIds, ...backendIds]) {
        const { certPath, keyPath } = authority.issue(id);
        const tls = ['--link-ca', authority.caPath, '--link-cert', certPath, '--link-key', keyPath];
        const port = routerIds.includes(id) ? ['--http', `${await freePort()}`] : [];
        argsOf.set(id, ['--link-token', token, ...tls, ...port, '--state', join(states, id)]);
      }
      fleet = await startFleet(owner, { repository, routers: 0, backends: 0, models: 0 });
      await Promise.all(backendIds.map((id) => start(id, earlier)));
      await Promise.all(routerIds.map((id) => start(id, earlier)));
      await untilAllUp();
      for (const model of models) await load(httpOf('r1'), model);
      routers = new RouterChoice(routerIds.map(httpOf), checkAnswer);
      owner.after(() => routers.close());
      traffic = new OpenLoop(routers, perSecond, (i) => forModel(models[i % modelCount]!, body));
    });
    after(async () => {
      for (const end of ends) await end();
    });

    const httpOf = (id: string) => members.get(id)!.http;

    /** Under its name, with its state, and a router on its port: all that stays of a process that is replaced. */
    async function start(id: string, version: EarlierVersion | undefined): Promise<void> {
      const startOne = routerIds.includes(id) ? fleet.startRouter : fleet.startBackend;
      members.set(id, await startOne(id, argsOf.get(id), version && { clone: version.root }));
      versions.set(id, version?.version ?? softwareVersion);
    }

    async function untilAllUp(): Promise<void> {
      for (const id of routerIds) await untilFleet(httpOf(id), backendIds.length, modelCount);
    }

    async function replace(id: string, version: EarlierVersion | undefined): Promise<void> {
      await sleep(calmMs);
      const member = members.get(id)!;
      assert.equal(await member.stop(), 0, member.log());
      await start(id, version);
      await untilAllUp();
      await useEveryLink();
      await changeCatalogue();
    }

    /** Every router asks for a model that this backend alone holds, for every backend. */
    async function useEveryLink(): Promise<void> {
      for (const router of routerIds) {
        for (const backend of backendIds) {
          await answersOver(router, backend);
          met.add(`router ${versions.get(router)} with backend ${versions.get(backend)}`);
        }
      }
    }

    async function answersOver(router: string, backend: string): Promise<void> {
      const http = httpOf(router);
      const model = await until(`a copy on ${backend} alone`, 20_000, async () => {
        for (const name of models) {
          const { copies } = await modelOf(http, name);
          if (copies.length === 1 && copies[0]!.backend === backend && copies[0]!.phase === 'ready') return name;
        }
        return undefined;
      });
      const sender = new Sender(http, checkAnswer);
      const outcome = await sender.send(forModel(model, body));
      await sender.close();
      assert.deepEqual([outcome.status, outcome.problem], [200, undefined], `${router} with ${backend}`);
    }

    /** From each router, and seen at the other one. Earlier versions refuse what builds on a change they have yet to hear of. */
    async function changeCatalogue(): Promise<void> {
      for (const [at, other] of [routerIds, routerIds.toReversed()] as [string, string][]) {
        const name = `later_00${at.at(-1)}`;
        const alias = `alias_of_${name}`;
        const change = async (path: string, facts: unknown) => {
          const answer = await fetch(`${httpOf(at)}/fleet/${path}`, { method: 'POST', body: JSON.stringify(facts) });
          assert.equal(answer.status, 200, `${path} at ${at}: ${await answer.text()}`);
        };
        await change(`models/${name}`, { path: `deep/${name}` });
        await untilStatus(at, name, 200);
        await change(`routes/${alias}`, { targets: [{ model: name }] });
        await untilStatus(other, alias, 200);
        await change(`models/${alias}/remove`, {});
        await untilStatus(at, alias, 404);
        await change(`models/${name}/remove`, {});
        for (const gone of [alias, name]) await untilStatus(other, gone, 404);
      }
    }

    async function untilStatus(router: string, model: string, wanted: number): Promise<void> {
      const sender = new Sender(httpOf(router));
      let last = '';
      await until(`${wanted} for ${model} at ${router}`, 10_000, async () => {
        const { status, problem } = await sender.send(forModel(model, body));
        last = `${status} ${problem ?? ''}`;
        return status === wanted ? true : undefined;
      }).catch((fault: Error) => assert.fail(`${fault.message}, last: ${last}`));
      await sender.close();
    }

    for (const id of ['r1', 'b1', 'b2', 'b3']) {
      test(`${id} is replaced by the present version`, async (t) => {
        await replace(id, undefined);
        showFigures(t, await toldVersions('r1'));
      });
    }

    test('the last one is, and every kind of pair was linked meanwhile', async (t) => {
      await replace('r2', undefined);
      showFigures(t, { met: [...met].join('; ') });
      for (const router of [earlier.version, softwareVersion]) {
        for (const backend of [earlier.version, softwareVersion])
          assert.ok(met.has(`router ${router} with backend ${backend}`), `router ${router} with backend ${backend}`);
      }
    });

    for (const id of ['r1', 'b2']) test(`${id} goes back to the earlier version`, () => replace(id, earlier));

    test('a router of the present version tells who runs which', async (t) => {
      const told = await toldVersions('r2');
      showFigures(t, told);
      assert.deepEqual(told, Object.fromEntries(versions));
    });

    test('no request failed', async (t) => {
      const outcomes = await traffic.stop();
      showFigures(t, {
        requests: outcomes.length,
        failed: failuresOf(outcomes).length,
        reconnected: routers.reconnected,
        longest: milliseconds(longestMs(outcomes)),
      });
      assert.equal(describeFailures(outcomes), '');
    });

    async function toldVersions(router: string): Promise<Record<string, string>> {
      const { routerVersions, backends } = await fleetOf(httpOf(router));
      return { ...routerVersions, ...Object.fromEntries(backends.map(({ id, version = '' }) => [id, version])) };
    }
  });
}
