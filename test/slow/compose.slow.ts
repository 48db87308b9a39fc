/**
 * The Compose cluster on a real Docker Engine: built, started, asked, scaled, and hurt while requests flow.
 *
 * The engine is the one that answers, or else one that the script in $CONTAINER_HOST brings. Where there is neither, this
 * says so and tests nothing.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const project = `skein-test-${process.pid}`;

/** Undefined where there is an engine now, else why there is none. */
function bringEngine(): string | undefined {
  const answers = () => spawnSync('docker', ['version', '--format', '{{.Server.Version}}']).status === 0;
  if (answers() && spawnSync('docker', ['compose', 'version']).status === 0) return undefined;
  const up = process.env['CONTAINER_HOST'];
  if (up === undefined || !existsSync(up)) return 'no Docker Engine answers here, and there is nothing that brings one';
  execFileSync('bash', [up, '--node', '24'], { stdio: ['ignore', 'inherit', 'inherit'] });
  return answers() ? undefined : 'the Docker Engine does not answer';
}

const missing = bringEngine();

describe('The Compose cluster', { skip: missing ?? false }, () => {
  const ports: Record<string, string> = {};
  const compose = async (...args: string[]) => {
    const env = { ...process.env, ...ports };
    const options = { cwd: join(root, 'compose'), env, maxBuffer: 64 * 2 ** 20 };
    return (await run('docker', ['compose', '-p', project, ...args], options)).stdout;
  };
  const docker = async (...args: string[]) => (await run('docker', args)).stdout.trim();
  const containersOf = async (service: string) =>
    (await compose('ps', '-q', service)).trim().split('\n').filter(Boolean);

  before(async () => {
    for (const name of ['HTTP', 'GRPC', 'ROUTER_1', 'ROUTER_2', 'ROUTER_3', 'PROMETHEUS'])
      ports[`${name}_PORT`] = await freePort();
    await compose('build');
    await compose('up', '-d');
    await backendsUp(3);
  });
  after(async () => {
    if (missing === undefined) await compose('down', '-v', '--remove-orphans');
  });

  const at = (name: string) => `http://127.0.0.1:${ports[`${name}_PORT`]}`;

  /** Every router that runs sees so many backends up, and none beside them. */
  async function backendsUp(count: number, routers = ['ROUTER_1', 'ROUTER_2', 'ROUTER_3']): Promise<void> {
    const seen = new Map<string, string>();
    for (const untilMs = performance.now() + 120_000; performance.now() < untilMs; await sleep(250)) {
      for (const router of routers) seen.set(router, await standing(at(router)));
      if ([...seen.values()].every((text) => text === `${count} up`)) return;
    }
    throw new Error(`not ${count} backends up: ${JSON.stringify([...seen])}\n${await compose('logs', '--tail=20')}`);
  }

  /** Requests through haproxy while `what` happens and a moment longer; returns what failed. */
  async function duringTraffic(what: () => Promise<unknown>): Promise<string[]> {
    const failures: string[] = [];
    let [isOver, sent] = [false, 0];
    const clients = Array.from({ length: 8 }, async (_, i) => {
      for (; !isOver; sent++, await sleep(20)) {
        const failure = await ask(at('HTTP'), i);
        if (failure !== undefined) failures.push(failure);
      }
    });
    try {
      await what();
      await sleep(2_000);
    } finally {
      isOver = true;
      await Promise.all(clients);
    }
    assert.ok(sent > 100, `${sent} requests`);
    return failures;
  }

  test('serves through haproxy and through each router', async () => {
    for (const name of ['HTTP', 'ROUTER_1', 'ROUTER_2', 'ROUTER_3'])
      assert.equal(await ask(at(name), 1), undefined, name);
  });

  test('runs without root, without a writable root and without capabilities, within limits that backends honour', async () => {
    for (const id of [...(await containersOf('backend')), ...(await containersOf('router-1'))]) {
      assert.equal(await docker('exec', id, 'id', '-un'), 'node');
      await assert.rejects(docker('exec', id, 'touch', '/opt/skein/file'), /Read-only file system/);
      assert.match(await docker('exec', id, 'sh', '-c', 'grep CapEff /proc/1/status'), /0000000000000000/);
    }
    const { backends } = (await (await fetch(`${at('ROUTER_1')}/fleet`)).json()) as {
      backends: { budgetBytes: number }[];
    };
    assert.deepEqual(
      backends.map(({ budgetBytes }) => budgetBytes),
      new Array(3).fill(2 ** 29),
    );
  });

  test('starts from what Node made of the sources when the image was built', async () => {
    const router = (await containersOf('router-1'))[0] ?? '';
    const env = ['-e', 'NODE_DEBUG_NATIVE=COMPILE_CACHE', '-e', 'NODE_COMPILE_CACHE=node_modules/.cache/skein'];
    for (const file of ['fleet-router.ts', 'fleet-backend.ts']) {
      const load = `node -e "import('/opt/skein/src/cli/${file}')" 2>&1 | grep StrippedTypeScript`;
      const said = await docker('exec', ...env, router, 'sh', '-c', load);
      assert.match(said, new RegExp(`transpile cache for StrippedTypeScript \\S+cli/${file}\\.\\.\\.success`));
    }
  });

  test('says that it is well', async () => {
    const services = ['etcd', 'router-1', 'router-2', 'router-3', 'backend', 'haproxy'];
    const ids = (await Promise.all(services.map(containersOf))).flat();
    for (const untilMs = performance.now() + 60_000; ; await sleep(500)) {
      const health = await docker('inspect', '-f', '{{.State.Health.Status}}', ...ids);
      if (health.split('\n').every((one) => one === 'healthy')) break;
      assert.ok(performance.now() < untilMs, health);
    }
  });

  test('is watched by Prometheus, with rules that it takes', async () => {
    for (const untilMs = performance.now() + 60_000; ; await sleep(500)) {
      const query = encodeURIComponent('count(up == 1)');
      const answer = await fetch(`${at('PROMETHEUS')}/api/v1/query?query=${query}`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      if (data.result[0]?.value[1] === '4') break;
      assert.ok(performance.now() < untilMs, JSON.stringify(data));
    }
    const rules = (await (await fetch(`${at('PROMETHEUS')}/api/v1/rules`)).json()) as {
      data: { groups: { rules: { health: string; lastError?: string }[] }[] };
    };
    const faults = rules.data.groups.flatMap((group) => group.rules).filter(({ health }) => health === 'err');
    assert.deepEqual(faults, []);
  });

  test('goes from three backends to five and to two without a failed request', async () => {
    const failures = await duringTraffic(async () => {
      await compose('up', '-d', '--scale', 'backend=5', '--no-recreate');
      await backendsUp(5);
      await compose('up', '-d', '--scale', 'backend=2', '--no-recreate');
      await backendsUp(2);
    });
    assert.deepEqual(failures, []);
    await compose('up', '-d', '--scale', 'backend=3', '--no-recreate');
    await backendsUp(3);
  });

  test('loses a backend that is killed without a failed request, and gets it back', async () => {
    const [id] = await containersOf('backend');
    const failures = await duringTraffic(async () => {
      await crash(id!);
      await backendsUp(3);
    });
    assert.deepEqual(failures, []);
  });

  test('loses a router that is killed without a failed request behind haproxy, and gets it back', async () => {
    const [id] = await containersOf('router-2');
    const failures = await duringTraffic(async () => {
      await crash(id!);
      await backendsUp(3);
    });
    assert.deepEqual(failures, []);
  });

  test('serves while a backend is cut off from the network, and takes it back', async () => {
    const [id] = await containersOf('backend');
    const network = `${project}_default`;
    const alias = (await docker('inspect', '-f', '{{.Id}}', id!)).slice(0, 12);
    const failures = await duringTraffic(async () => {
      await docker('network', 'disconnect', network, id!);
      await sleep(5_000);
      await docker('network', 'connect', '--alias', alias, '--alias', 'backend', network, id!);
      await backendsUp(3);
    });
    assert.deepEqual(failures, []);
  });

  test('serves while etcd is started again', async () => {
    const [id] = await containersOf('etcd');
    const failures = await duringTraffic(async () => {
      await docker('stop', id!);
      await sleep(8_000);
      await docker('start', id!);
      await backendsUp(3);
    });
    assert.deepEqual(failures, []);
  });

  /** As a crash would: what `docker kill` ends is not started again. */
  async function crash(id: string): Promise<void> {
    const pid = Number(await docker('inspect', '-f', '{{.State.Pid}}', id));
    process.kill(pid, 'SIGKILL');
  }
});

async function standing(router: string): Promise<string> {
  try {
    const answer = await fetch(`${router}/fleet`, { signal: AbortSignal.timeout(5_000) });
    const { backends } = (await answer.json()) as { backends: { state: string }[] };
    const states = Map.groupBy(backends, ({ state }) => state);
    return [...states].map(([state, all]) => `${all.length} ${state}`).join(', ') || 'none';
  } catch (fault) {
    return (fault as Error).message;
  }
}

/** What went wrong with one inference; undefined where its answer is right. */
async function ask(server: string, seed: number): Promise<string | undefined> {
  const data = Array.from({ length: 16 }, (_, i) => seed + i);
  const body = JSON.stringify({ inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 16], data }] });
  try {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${server}/v2/models/identity/infer`, { method: 'POST', headers, body });
    const text = await answer.text();
    if (answer.status !== 200) return `${answer.status} ${text}`;
    const { outputs } = JSON.parse(text) as { outputs: { data: number[] }[] };
    return String(outputs[0]?.data) === String(data) ? undefined : `another answer: ${text}`;
  } catch (fault) {
    return String((fault as Error).cause ?? fault);
  }
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}
