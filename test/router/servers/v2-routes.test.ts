import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SkeinError } from '../../../src/protocol/errors.ts';
import type { ApiCall } from '../../../src/router/servers/api.ts';
import { Front } from '../../../src/router/servers/front.ts';
import { defaultServerOptions } from '../../../src/router/servers/server-options.ts';
import { serverRoutes } from '../../../src/router/servers/server-routes.ts';
import { mismatches } from '../../fixtures/triton/compare.ts';
import { expectedOf } from '../../fixtures/triton/differences.ts';
import { type RecordedCase, recordedCases, recordedGroups } from '../../fixtures/triton/recording.ts';
import { http, serveFake } from './serve-fake.ts';

/** Status and body, parsed where it is JSON. */
async function call(send: Awaited<ReturnType<typeof serveFake>>['send'], method: string, path: string, body?: string) {
  const { answers } = await send(http(method, path, body), { settleMs: 0 });
  const { status, body: bytes } = answers[0]!;
  return [status, bytes.length === 0 ? undefined : JSON.parse(bytes.toString())];
}

describe('the router server, about itself', () => {
  test('names itself, its version and what it can do', async (t) => {
    const { send } = await serveFake(t, { version: '1.2.3' });
    const [status, body] = await call(send, 'GET', '/v2');
    assert.equal(status, 200);
    assert.deepEqual([body.name, body.version], ['skein', '1.2.3']);
    assert.deepEqual(await call(send, 'GET', '/v2/'), [200, body]);
    assert.ok(body.extensions.includes('binary_tensor_data') && !body.extensions.includes('system_shared_memory'));
  });

  test('is alive always, and ready while a backend answers', async (t) => {
    const { mesh, send } = await serveFake(t);
    assert.deepEqual(await call(send, 'GET', '/v2/health/ready'), [200, undefined]);
    mesh.isUp = false;
    assert.deepEqual(await call(send, 'GET', '/v2/health/ready'), [400, undefined]);
    assert.deepEqual(await call(send, 'GET', '/v2/health/live'), [200, undefined]);
  });

  test('is not ready while it drains, whatever its backends do', async (t) => {
    const { mesh, tools } = await serveFake(t);
    const front = new Front(mesh, defaultServerOptions, tools);
    const ready = serverRoutes(front).find(({ path }) => path === '/v2/health/ready')!;
    assert.equal((await ready.handle({} as ApiCall)).status, 200);
    front.startClosing();
    assert.equal((await ready.handle({} as ApiCall)).status, 400);
  });

  test('says of what it does not do that it does not', async (t) => {
    const { send } = await serveFake(t);
    for (const memory of ['system', 'cuda']) {
      const base = `/v2/${memory}sharedmemory`;
      assert.deepEqual(await call(send, 'GET', `${base}/status`), [200, []]);
      const unknown = { error: `Unable to find ${memory} shared memory region: 'r'` };
      assert.deepEqual(await call(send, 'GET', `${base}/region/r/status`), [404, unknown]);
      for (const path of ['/region/r/register', '/region/r/unregister', '/unregister']) {
        const [status, { error }] = await call(send, 'POST', base + path, '{}');
        assert.equal(status, 501);
        assert.match(error, /^Client shared memory is disabled\./);
      }
    }
    for (const [method, path] of [
      ['GET', '/v2/trace/setting'],
      ['POST', '/v2/models/simple/trace/setting'],
      ['GET', '/v2/logging'],
      ['POST', '/v2/models/simple/generate'],
      ['POST', '/v2/models/simple/versions/1/generate_stream'],
    ] as const) {
      const [status, { error }] = await call(send, method, path, method === 'POST' ? '{}' : undefined);
      assert.equal(status, 501, path);
      assert.match(error, /is not supported: /);
    }
  });
});

describe('the router server, about models', () => {
  test('describes a model, one version or all', async (t) => {
    const { send } = await serveFake(t);
    const tensors = {
      inputs: [{ name: 'INPUT0', datatype: 'INT32', shape: [-1, 16] }],
      outputs: [{ name: 'OUTPUT0', datatype: 'INT32', shape: [-1, 16] }],
    };
    const metadata = (versions: string[]) => ({
      name: 'multi_version',
      versions,
      platform: 'onnxruntime_onnx',
      ...tensors,
    });
    assert.deepEqual(await call(send, 'GET', '/v2/models/multi_version'), [200, metadata(['1', '3'])]);
    assert.deepEqual(await call(send, 'GET', '/v2/models/multi_version/versions/03'), [200, metadata(['3'])]);
    assert.deepEqual(await call(send, 'GET', '/v2/models/simple/config'), [200, { name: 'simple', max_batch_size: 8 }]);
    const [status, unknown] = await call(send, 'GET', '/v2/models/simple/versions/9/config');
    assert.equal(status, 404);
    assert.match(JSON.stringify(unknown), /Request for unknown model: 'simple' version 9 is not found; its metadata/);
  });

  test('tells whether a model serves', async (t) => {
    const { send } = await serveFake(t);
    assert.deepEqual(await call(send, 'GET', '/v2/models/simple/ready'), [200, undefined]);
    assert.deepEqual(await call(send, 'GET', '/v2/models/simple/versions/1/ready'), [200, undefined]);
    for (const path of ['/v2/models/nope/ready', '/v2/models/simple/versions/9/ready']) {
      assert.deepEqual(await call(send, 'GET', path), [400, { error: 'Model version not ready' }]);
    }
  });

  test('tells what models have done; a model called stats is not in the way', async (t) => {
    const { send } = await serveFake(t);
    const versions = async (path: string) => {
      const [status, { model_stats: rows }] = await call(send, 'GET', path);
      return [status, rows.map((row: { name: string; version: string }) => `${row.name} ${row.version}`)];
    };
    assert.deepEqual(await versions('/v2/models/stats'), [200, ['simple 1', 'multi_version 1', 'multi_version 3']]);
    assert.deepEqual(await versions('/v2/models/multi_version/stats'), [200, ['multi_version 1', 'multi_version 3']]);
    assert.deepEqual(await versions('/v2/models/multi_version/versions/3/stats'), [200, ['multi_version 3']]);
    assert.deepEqual(await call(send, 'GET', '/v2/models/nope/stats'), [
      400,
      { error: "requested model 'nope' is not available" },
    ]);
    const version = { error: "requested model version is not available for model 'simple'" };
    assert.deepEqual(await call(send, 'GET', '/v2/models/simple/versions/9/stats'), [400, version]);
  });

  test('finds a model whose name only escapes can write', async (t) => {
    const { mesh, send } = await serveFake(t);
    mesh.known.set('my größe', [1]);
    assert.equal((await call(send, 'GET', '/v2/models/my%20gr%C3%B6%C3%9Fe'))[0], 200);
    assert.equal((await call(send, 'POST', '/v2/models/my%20gr%C3%B6%C3%9Fe/infer', '{}'))[0], 200);
  });

  test('passes on when to ask again, and reports defects without hiding them', async (t) => {
    const { mesh, send, logged } = await serveFake(t);
    mesh.describe = async (model) => {
      throw new SkeinError('model_loading', { model, seconds: 2, retryAfterSeconds: 1.2 });
    };
    const { answers } = await send(http('GET', '/v2/models/simple'), { settleMs: 0 });
    assert.deepEqual([answers[0]!.status, answers[0]!.headers.get('retry-after')], [503, '2']);
    mesh.describe = async () => {
      throw new TypeError('nothing there');
    };
    const [status, { error }] = await call(send, 'GET', '/v2/models/simple');
    assert.equal(status, 500);
    assert.equal(error, 'a defect in Skein: nothing there; please report it');
    assert.deepEqual(logged, ['call failed']);
  });
});

describe('the router server, about its repository', () => {
  test('lists models: those never loaded by name alone, reasons where there are some', async (t) => {
    const { mesh, send } = await serveFake(t);
    mesh.indexRows = [
      { name: 'a', version: 1, state: 'READY', reason: '' },
      { name: 'b', version: undefined, state: 'UNKNOWN', reason: '' },
      { name: 'c', version: 2, state: 'UNAVAILABLE', reason: 'unloaded' },
      { name: 'd', version: undefined, state: 'UNAVAILABLE', reason: 'no versions' },
    ];
    const ready = { name: 'a', version: '1', state: 'READY' };
    const rest = [
      { name: 'b' },
      { name: 'c', version: '2', state: 'UNAVAILABLE', reason: 'unloaded' },
      { name: 'd', state: 'UNAVAILABLE', reason: 'no versions' },
    ];
    for (const body of [undefined, '', '{}', '{"ready":false}']) {
      assert.deepEqual(await call(send, 'POST', '/v2/repository/index', body), [200, [ready, ...rest]]);
    }
    assert.deepEqual(await call(send, 'POST', '/v2/repository/index', '{"ready":true}'), [200, [ready]]);
    assert.equal((await call(send, 'POST', '/v2/repository/elsewhere/index'))[0], 200);
    const kind = { error: 'attempt to access JSON non-boolean as boolean' };
    assert.deepEqual(await call(send, 'POST', '/v2/repository/index', '{"ready":"x"}'), [400, kind]);
  });

  test('reads a compressed call', async (t) => {
    const { send } = await serveFake(t);
    const body = gzipSync('{"ready":true}');
    const { answers } = await send(http('POST', '/v2/repository/index', body, { 'Content-Encoding': 'gzip' }));
    assert.equal(answers[0]!.status, 200);
  });

  test('lists ten thousand models in one answer', async (t) => {
    const { mesh, send } = await serveFake(t);
    mesh.indexRows = Array.from({ length: 10_000 }, (_, i) => ({
      name: `m${i}`,
      version: 1,
      state: 'READY' as const,
      reason: '',
    }));
    const [, rows] = await call(send, 'POST', '/v2/repository/index');
    assert.equal(rows.length, 10_000);
  });

  test('loads and unloads', async (t) => {
    const { mesh, send } = await serveFake(t);
    assert.deepEqual(await call(send, 'POST', '/v2/repository/models/simple/load', ''), [200, undefined]);
    assert.deepEqual(await call(send, 'POST', '/v2/repository/models/simple/load'), [200, undefined]);
    const body = '{"parameters":{"config":"{}","file:1/model.onnx":"AAAA"}}';
    assert.deepEqual(await call(send, 'POST', '/v2/repository/models/uploaded/load', body), [200, undefined]);
    assert.deepEqual(
      mesh.loads.map(({ model, override }) => [model, override?.config, [...(override?.files.keys() ?? [])]]),
      [
        ['simple', undefined, []],
        ['simple', undefined, []],
        ['uploaded', '{}', ['1/model.onnx']],
      ],
    );
    for (const parameters of ['', '{"parameters":{"unload_dependents":"x"}}']) {
      assert.deepEqual(await call(send, 'POST', '/v2/repository/models/nope/unload', parameters), [200, undefined]);
    }
    assert.deepEqual(mesh.unloads, ['nope', 'nope']);
    const [status, { error }] = await call(send, 'POST', '/v2/repository/models/nope/load', '{}');
    assert.ok(status >= 400 && status < 500);
    assert.equal(error, "failed to load 'nope', failed to poll from model repository: no model there has this name");
    const named = { error: "'repository_name' specification is not supported" };
    for (const action of ['load', 'unload']) {
      assert.deepEqual(await call(send, 'POST', `/v2/repository/foo/models/simple/${action}`, '{}'), [501, named]);
    }
  });

  test('takes files and configurations of large models from this machine', async (t) => {
    const { mesh, send } = await serveFake(t);
    const file = Buffer.alloc(1_000_000, 9);
    const body = JSON.stringify({ parameters: { config: '{}', 'file:1/model.onnx': file.toString('base64') } });
    assert.equal((await call(send, 'POST', '/v2/repository/models/simple/load', body))[0], 200);
    assert.deepEqual(mesh.loads[0]!.override!.files.get('1/model.onnx'), file);
  });

  test('takes none of them from a web page, unless it is the one that CORS lets in', async (t) => {
    const { mesh, send } = await serveFake(t, { corsOrigin: 'https://app.example' });
    const load = async (origin: string, body: string) => {
      const { answers } = await send(http('POST', '/v2/repository/models/simple/load', body, { Origin: origin }), {
        settleMs: 0,
      });
      return answers[0]!;
    };
    for (const body of ['{"parameters":{"config":"{}"}}', ' '.repeat(100_000)]) {
      const refused = await load('https://evil.example', body);
      assert.equal(refused.status, 403);
      assert.match(refused.body.toString(), /--allow-remote-load to take them from https:\/\/evil\.example/);
    }
    assert.equal(mesh.loads.length, 0);
    assert.equal((await load('https://evil.example', '')).status, 200, 'a plain load carries nothing');
    assert.equal((await load('https://app.example', '{"parameters":{"config":"{}"}}')).status, 200);
  });
});

describe('the router server, as Triton answered', () => {
  for (const recorded of recordedGroups.flatMap(recordedCases).filter(isAboutPaths)) {
    test(recorded.id, async (t) => {
      const { send } = await serveFake(t);
      const found = mismatches(await send(recorded.request), expectedOf(recorded).expected);
      assert.deepEqual(found, [], found.join('\n  '));
    });
  }
});

/** Answers for which a server needs no models. */
function isAboutPaths({ answer }: RecordedCase): boolean {
  return /"(Not Found|Method Not Allowed): |stol|repository_name/.test(answer?.body.toString() ?? '');
}
