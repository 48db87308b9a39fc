import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startAdminServer } from '../../fixtures/admin-server.ts';
import { skein } from '../../fixtures/recording-console.ts';
import { explanation, failedModel, fleet, plan, readyModel } from './reports.ts';

const answers = {
  'GET /fleet': { body: fleet },
  'GET /fleet/models': { body: [readyModel, failedModel] },
  'GET /fleet/models?state=failed': { body: [failedModel] },
  'GET /fleet/models/resnet50/explain': { body: explanation },
  'GET /fleet/models/a%2Fb%20c/explain': { body: { ...explanation, model: 'a/b c' } },
  'GET /fleet/plan': { body: { moves: [], bytes: 0, estimatedMs: 0, homeless: [] } },
  'GET /fleet/plan?drain=b2': { body: plan },
};

const lines = (text: string) => text.trimEnd().split('\n');

describe('skein ps', () => {
  test('prints the fleet with human units', async (t) => {
    const { url } = await startAdminServer(answers, t);
    const { status, stdout } = await skein(['ps', '--url', url]);
    assert.equal(status, 0);
    assert.deepEqual(lines(stdout), [
      'skein 0.1.0, up 2 h 5 min',
      '300 models: 33 loaded, 1 loading, 2 failed',
      '1 request running, 4 waiting for a load',
      'since the start: 41 loads (2 failed), 7 retries, 0 requests convicted of crashing',
      '',
      'BACKEND   KIND   STATE  COPIES  RUNNING     USED   BUDGET  CORES  LOADS QUEUED   PID  NOTE',
      'b1        skein  up         18        1  193 MiB  256 MiB      2             0  4711',
      'triton-a  v2     down        0        0        -        -      -             0     -  connect ECONNREFUSED',
    ]);
  });

  test('names the models that do not load, and why', async (t) => {
    const trouble = { model: 'ranker', version: 2, code: 'source_disk', reason: 'the disk does not take it' };
    const loadTroubles = [
      { ...trouble, backend: 'b1', agoMs: 90_000 },
      { ...trouble, backend: '', agoMs: undefined },
    ];
    const { url } = await startAdminServer({ 'GET /fleet': { body: JSON.stringify({ ...fleet, loadTroubles }) } }, t);
    const { stdout } = await skein(['ps', '--url', url]);
    assert.deepEqual(lines(stdout).slice(-3), [
      'DOES NOT LOAD  VERSION  TRIED ON         AGO  WHY',
      'ranker               2  b1        1 min 30 s  the disk does not take it',
      'ranker               2  -                  -  the disk does not take it',
    ]);
  });

  test('names the processes that were not let in', async (t) => {
    const registry = { kind: 'connected', reason: '', sinceMs: 0 };
    const turnedAway = [{ role: 'backend', id: 'b1', where: 'tcp://10.0.0.9:7001' }];
    const body = JSON.stringify({ ...fleet, registry, routers: ['r1'], turnedAway });
    const { url } = await startAdminServer({ 'GET /fleet': { body } }, t);
    const { stdout } = await skein(['ps', '--url', url]);
    assert.deepEqual(lines(stdout).slice(4, 6), [
      '1 router: r1',
      "a second backend 'b1', at tcp://10.0.0.9:7001, was not let in: another name (--id) is needed there",
    ]);
  });

  test('names the members that run another version than the router that is asked', async (t) => {
    const registry = { kind: 'connected', reason: '', sinceMs: 0 };
    const versions = ['0.1.0', '0.0.9', undefined] as const;
    const backends = versions.map((version, i) => ({
      ...fleet.backends[1]!,
      id: `b${i}`,
      reason: i === 1 ? 'x' : '',
      version,
    }));
    const routerVersions = { r1: '0.1.0', r2: '0.2.0' };
    const body = JSON.stringify({ ...fleet, registry, routers: ['r1', 'r2', 'r3'], routerVersions, backends });
    const { url } = await startAdminServer({ 'GET /fleet': { body } }, t);
    const { stdout } = await skein(['ps', '--url', url]);
    assert.equal(lines(stdout)[4], '3 routers: r1, r2 (skein 0.2.0), r3');
    assert.deepEqual(
      lines(stdout)
        .slice(-3)
        .map((line) => line.split('-').at(-1)!.trim()),
      ['', 'skein 0.0.9: x', ''],
    );
  });

  test('prints the JSON as it came', async (t) => {
    const body = '{ "version" : "9", "new in 9": 1.0 }';
    const { url } = await startAdminServer({ 'GET /fleet': { body } }, t);
    assert.deepEqual(await skein(['ps', '--json', '--url', `${url}/`]), { status: 0, stdout: `${body}\n`, stderr: '' });
  });
});

describe('skein models', () => {
  test('prints copies, memory and rates, and why a model failed', async (t) => {
    const { url } = await startAdminServer(answers, t);
    const { stdout } = await skein(['models', '--url', url]);
    assert.deepEqual(lines(stdout), [
      'MODEL     STATE   VERSIONS  COPIES                MEMORY  REQUESTS/S  RUNNING  LATENCY  NOTE',
      'resnet50  ready        1 2  b1:2, b2:2 (loading)  14 MiB        12.3        3   4.2 ms',
      'broken    failed         -  -                          -           0        0        -  no model file',
      '',
      '2 models',
    ]);
  });

  test('asks the server for one state', async (t) => {
    const server = await startAdminServer(answers, t);
    const { stdout } = await skein(['models', '--state', 'failed', '--url', server.url]);
    assert.match(stdout, /1 model\n$/);
    assert.deepEqual(server.requests, ['GET /fleet/models?state=failed']);
  });

  test('refuses a state that does not exist', async () => {
    const { status, stderr } = await skein(['models', '--state', 'redy']);
    assert.equal(status, 2);
    assert.match(stderr, /--state is 'redy'; expected one of ready, loading, idle, failed, unloaded/);
  });
});

describe('skein explain', () => {
  test('prints what would happen now, the copies, and the verdict on each backend', async (t) => {
    const { url } = await startAdminServer(answers, t);
    const { stdout } = await skein(['explain', 'resnet50', '--url', url]);
    assert.deepEqual(lines(stdout), [
      'resnet50 is ready, version 1, 2',
      'a request now: served by b1',
      'by its load it wants 2 copies (panic: 3.8 requests in flight, 31.0 in the last second, 11.2 meant for one copy)',
      '  b1 version 2: 14 MiB, loads in 41 ms, 3 running, 4.2 ms a request',
      '  b2 version 2: loading, 0 B, 0 running',
      'backends in the order in which it prefers them:',
      '  b1 (choice 1): holds a copy, which stays',
      '  b2 (choice 2): is being drained',
    ]);
  });

  test('escapes the name of the model in the path', async (t) => {
    const { url } = await startAdminServer(answers, t);
    assert.match((await skein(['explain', 'a/b c', '--url', url])).stdout, /^a\/b c is ready/);
  });

  test('prints how each copy runs its batches, why, and what it measured', async (t) => {
    const learned = [
      { threads: 2, slots: 1, rows: 1, ms: 2.345, rowsPerSecond: 426.4, runs: 256 },
      { threads: 1, slots: 2, rows: 4, ms: 22, rowsPerSecond: 363.6, runs: 4 },
    ];
    const choices = [
      { upToWaiting: 1, threads: 2, slots: 1, rows: 1, why: 'where nothing is known' },
      { upToWaiting: 8, threads: 1, slots: 2, rows: 4, rowsPerSecond: 300, why: '300 rows/s against 250 before' },
    ];
    const runs = [{ backend: 'b1', version: 2, choices, learned, drift: 1.4, sessions: [2, 1] }];
    const { url } = await startAdminServer({ 'GET /fleet/models/m/explain': { body: { ...explanation, runs } } }, t);
    const shown = lines((await skein(['explain', 'm', '--url', url])).stdout);
    assert.deepEqual(shown.slice(5, 11), [
      'how b1 runs version 2:',
      '  up to 1 waiting: one run of 2 threads, one row (where nothing is known)',
      '  up to 8 waiting: 2 runs at once of 1 thread, up to 4 rows (300 rows/s against 250 before)',
      '  measured on a quiet machine, best first; everything takes 1.4 times as long at the moment:',
      '    one run of 2 threads, one row: 426 rows/s, 2.35 ms a run, 256 seen',
      '    2 runs at once of 1 thread, up to 4 rows: 364 rows/s, 22 ms a run, 4 seen',
    ]);
  });

  test('says which runs of a copy are made on the event loop', async (t) => {
    const choices = [{ upToWaiting: 1, threads: 1, slots: 2, rows: 1, why: 'where nothing is known' }];
    const onEventLoop = { rows: 64, ms: 0.0213 };
    const runs = [{ backend: 'b1', version: 2, choices, learned: [], drift: 1, sessions: [1], onEventLoop }];
    const { url } = await startAdminServer({ 'GET /fleet/models/m/explain': { body: { ...explanation, runs } } }, t);
    const shown = lines((await skein(['explain', 'm', '--url', url])).stdout);
    assert.deepEqual(shown.slice(5, 8), [
      'how b1 runs version 2:',
      '  on the event loop: runs of up to 64 rows, 0.0213 ms at most; others go to threads:',
      '  up to 1 waiting: 2 runs at once of 1 thread, one row (where nothing is known)',
    ]);
  });
});

describe('skein plan', () => {
  test('prints moves, their cost, and models that lose their place', async (t) => {
    const { url } = await startAdminServer(answers, t);
    const { stdout } = await skein(['plan', '--drain', 'b2', '--url', url]);
    assert.deepEqual(lines(stdout), [
      'MODEL     VERSION  FROM  TO    SIZE',
      'resnet50        2  b2    b1  98 MiB',
      '',
      '1 move, 98 MiB, about 1.3 s',
      'no place would be left for 1 model: huge',
    ]);
  });

  test('says so where nothing would move', async (t) => {
    const { url } = await startAdminServer(answers, t);
    assert.equal((await skein(['plan', '--url', url])).stdout, '0 moves, 0 B, about 0 ms\n');
  });
});

describe('skein load', () => {
  const load = 'POST /v2/repository/models/resnet50/load';

  test('says on stderr what it waits for, and on stdout where the model is', async (t) => {
    const { url } = await startAdminServer({ ...answers, [load]: { body: '' } }, t);
    const { status, stdout, stderr } = await skein(['load', 'resnet50', '--url', url]);
    assert.equal(status, 0);
    assert.equal(stderr, 'loading resnet50 (served by b1)\n');
    assert.match(stdout, /^resnet50 is ready on b1 \(version 2, 14 MiB\) after [\d.]+ m?s\n$/);
  });

  test('loads where the server has nothing to explain', async (t) => {
    const { url } = await startAdminServer({ [load]: { body: '' } }, t);
    const { status, stdout, stderr } = await skein(['load', 'resnet50', '--url', url]);
    assert.deepEqual([status, stderr], [0, 'loading resnet50\n']);
    assert.match(stdout, /^resnet50 is ready after /);
  });

  test('does not quote a refusal that the load ends', async (t) => {
    const now = 'refused: the model was unloaded by request; load it to serve it again';
    const unloaded = { 'GET /fleet/models/resnet50/explain': { body: { ...explanation, now } } };
    const { url } = await startAdminServer({ ...unloaded, [load]: { body: '' } }, t);
    const { status, stderr } = await skein(['load', 'resnet50', '--url', url]);
    assert.deepEqual([status, stderr], [0, 'loading resnet50\n']);
  });

  test('prints why a load failed', async (t) => {
    const error = "load failed for model 'resnet50': version 2 is at UNAVAILABLE state: no room";
    const { url } = await startAdminServer({ ...answers, [load]: { status: 400, body: { error } } }, t);
    const { status, stdout, stderr } = await skein(['load', 'resnet50', '--url', url]);
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
    assert.ok(stderr.endsWith(`skein: ${error}\n`));
  });
});

describe('skein unload', () => {
  test('unloads, and says how to get the model back', async (t) => {
    const server = await startAdminServer({ 'POST /v2/repository/models/resnet50/unload': { body: '' } }, t);
    const { status, stdout } = await skein(['unload', 'resnet50', '--url', server.url]);
    assert.equal(status, 0);
    assert.match(stdout, /^resnet50 is unloaded; `skein load resnet50`/);
  });
});

describe('--json of verbs that are answered nothing', () => {
  for (const [verb, path] of [
    ['load', 'POST /v2/repository/models/resnet50/load'],
    ['unload', 'POST /v2/repository/models/resnet50/unload'],
    ['drain --undo', 'POST /fleet/backends/resnet50/drain'],
  ] as const) {
    test(`${verb} prints an empty object`, async (t) => {
      const { url } = await startAdminServer({ ...answers, [path]: { body: '' } }, t);
      const { status, stdout } = await skein([...verb.split(' '), 'resnet50', '--json', '--url', url]);
      assert.deepEqual({ status, stdout }, { status: 0, stdout: '{}\n' });
    });
  }
});

describe('skein register', () => {
  const register = 'POST /fleet/models/scorer';
  const digest = 'AB'.repeat(32);
  const source = ['--source', 's3://models/scorer/SHA256SUMS', '--sha256', digest];

  test('sends a source with its digest, versions and engine', async (t) => {
    const server = await startAdminServer({ [register]: { body: { revision: 1 } } }, t);
    const more = ['--versions', '3,1', '--engine', 'tensorflow', '--url', server.url];
    const { status, stdout } = await skein(['register', 'scorer', ...source, ...more]);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: 'scorer is in the catalogue\n' });
    assert.deepEqual(JSON.parse(server.bodies[0]!), {
      source: { url: 's3://models/scorer/SHA256SUMS', sha256: digest.toLowerCase() },
      versions: [1, 3],
      engine: 'tensorflow',
    });
  });

  test('says what is missing, and asks no server', async (t) => {
    const server = await startAdminServer({}, t);
    const refused = async (...args: string[]) =>
      (await skein(['register', 'scorer', ...args, '--url', server.url])).stderr;
    assert.match(await refused(...source.slice(0, 2)), /--source and --sha256 go together/);
    assert.match(await refused(...source.slice(2)), /--source and --sha256 go together/);
    assert.match(await refused('--versions', '1'), /--versions needs --source/);
    assert.match(await refused(...source, '--versions', '1,x'), /--versions is '1,x'; expected whole numbers/);
    assert.deepEqual(server.requests, []);
  });
});
