import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { V2Adapter } from '../../../src/adapters/v2/v2-adapter.ts';
import type { CopySpec } from '../../../src/protocol/link/messages.ts';
import { RecordedBackend } from '../recorded-backend.ts';
import { until } from '../until.ts';
import { startFakeV2Server } from './fake-v2-server.ts';
import { openSession } from './open-session.ts';
import { quickOptions } from './quick-options.ts';

const spec = (model: string, more: Partial<CopySpec> = {}): CopySpec => ({
  model,
  version: 1,
  directory: '',
  stamp: '',
  pinned: false,
  wanted: true,
  ...more,
});
const models = (backend: RecordedBackend) =>
  [...backend.copies.values()].map(({ model, phase }) => `${model} ${phase}`);

describe('V2Session', () => {
  test('reports every model that the server lists where none are declared', async (t) => {
    for (const lists of ['index', 'names'] as const) {
      const { backend } = await openSession(t, { lists });
      assert.deepEqual(models(backend), ['first ready', 'second ready'], lists);
    }
  });

  test('reports the declared models alone, and says which of them are not there', async (t) => {
    for (const lists of ['index', 'names', 'nothing'] as const) {
      const { backend } = await openSession(t, { lists, declared: ['second', 'third'] });
      assert.deepEqual(models(backend), ['second ready', 'third failed'], lists);
      assert.match(JSON.stringify(backend.ofModel('third')?.reason), /load_failed.*third.*backend 'fake'/);
    }
  });

  test('refuses a server that lists nothing and of which nothing is declared', async (t) => {
    await assert.rejects(openSession(t, { lists: 'nothing' }), {
      code: 'backend_cannot',
      message: /'fake' cannot list its models: .*settings file/,
    });
  });

  test('refuses an address where no Open Inference server is', async (t) => {
    const { server } = await openSession(t);
    const record = { ...server.record, address: `${server.record.address}/elsewhere` };
    const adapter = new V2Adapter(quickOptions);
    const connecting = adapter.connect(record, new RecordedBackend(), new AbortController().signal);
    await assert.rejects(connecting, { message: /HTTP status 404; is this the address of an Open Inference server\?/ });
  });

  test('finds a server behind the path of a proxy', async (t) => {
    const { server, backend, send, session } = await openSession(t, { prefix: '/ml/serving' });
    assert.deepEqual(models(backend), ['first ready', 'second ready']);
    await send().reply.over;
    assert.equal(server.seen.length, 1);
    assert.equal((await session.describe(backend.ofModel('first')!)).maxBatchSize, 8);
  });

  test('does not connect once the signal has fired', async () => {
    const server = await startFakeV2Server();
    const backend = new RecordedBackend();
    const connecting = new V2Adapter(quickOptions).connect(server.record, backend, AbortSignal.abort());
    await assert.rejects(connecting, { code: 'link_broken', message: /the router stops/ });
    assert.deepEqual(backend.lost, []);
    await server.die();
  });

  test('offers what the server has not loaded, and loads and unloads it', async (t) => {
    const { server, backend, session } = await openSession(t);
    assert.deepEqual(backend.offers, []);
    await session.unload(backend.ofModel('first')!);
    assert.deepEqual([models(backend), backend.offers], [['second ready'], ['first']]);
    const loaded = await session.load(spec('first', { configOverride: '{"max_batch_size":4}' }));
    assert.deepEqual([loaded.model, loaded.version, loaded.phase], ['first', 1, 'ready']);
    assert.deepEqual([models(backend).sort(), backend.offers], [['first ready', 'second ready'], []]);
    assert.ok(server.asked.includes('POST /v2/repository/models/first/load'));
  });

  test('loads whatever version the server likes where it is left to it', async (t) => {
    const { session } = await openSession(t);
    assert.equal((await session.load(spec('first', { version: 0 }))).version, 1);
    await assert.rejects(session.load(spec('first', { version: 7 })), { code: 'load_failed' });
  });

  test('sends a configuration along with a load', async (t) => {
    const { server, session } = await openSession(t);
    let sent = '';
    server.answers.set('/v2/repository/models/first/load', async (request, response) => {
      for await (const piece of request) sent += piece;
      response.end();
    });
    await session.load(spec('first', { configOverride: '{"max_batch_size":4}' }));
    assert.deepEqual(JSON.parse(sent), { parameters: { config: '{"max_batch_size":4}' } });
  });

  test('passes on why a load failed', async (t) => {
    const { session } = await openSession(t);
    await assert.rejects(session.load(spec('nope')), {
      code: 'foreign_failed',
      message: "failed to load 'nope', failed to poll from model repository",
    });
  });

  test('gives a load up when it is told to', async (t) => {
    const { server, session } = await openSession(t);
    const told = new AbortController();
    let isGivenUp = false;
    server.answers.set('/v2/repository/models/first/load', (_request, response) => {
      response.on('close', () => {
        isGivenUp = true;
      });
      told.abort();
    });
    await assert.rejects(session.load(spec('first'), told.signal), { code: 'cancelled' });
    await until('the server to notice', () => isGivenUp);
  });

  test('learns that a server forbids loading, says so from then on, and offers nothing more', async (t) => {
    const { server, backend, session } = await openSession(t, { loads: 'forbidden' });
    server.states.set('first', { state: 'UNAVAILABLE', reason: 'unloaded' });
    await until('the offer', () => backend.offers.includes('first'));
    assert.equal(session.can.load, true);
    const refused = { code: 'backend_cannot', message: /'fake' cannot load and unload models: explicit model load/ };
    await assert.rejects(session.load(spec('first')), refused);
    assert.deepEqual([session.can.load, session.can.unload], [false, false]);
    assert.deepEqual([models(backend).sort(), backend.offers], [['first failed', 'second ready'], []]);
    const asked = server.asked.length;
    await assert.rejects(session.unload(backend.ofModel('second')!), { code: 'backend_cannot' });
    assert.ok(!server.asked.slice(asked).some((line) => line.includes('/unload')));
  });

  test('describes one version of several by its name, and the only one without', async (t) => {
    const { server, backend, session } = await openSession(t, { lists: 'names', declared: ['first', 'second'] });
    const metadata = { name: 'second', versions: ['1', '3'], inputs: [], outputs: [], platform: 'p' };
    server.answers.set('/v2/models/second', (_request, response) => response.end(JSON.stringify(metadata)));
    server.states.set('second', { state: 'UNAVAILABLE', reason: '' });
    await until('it to go', () => !backend.isReady('second'));
    assert.equal((await session.describe(backend.ofModel('first')!)).platform, 'fake');
    assert.ok(server.asked.includes('GET /v2/models/first/config'));
  });

  test('reports each version that the metadata names', async (t) => {
    const server = await startFakeV2Server({ lists: 'names', declared: ['first'] });
    t.after(() => server.die());
    const metadata = { name: 'first', versions: ['1', '3'], inputs: [], outputs: [], platform: 'p' };
    server.answers.set('/v2/models/first', (_request, response) => response.end(JSON.stringify(metadata)));
    const backend = new RecordedBackend();
    const session = await new V2Adapter(quickOptions).connect(server.record, backend, new AbortController().signal);
    t.after(() => session.close('the test is over'));
    const copies = [...backend.copies.values()];
    assert.deepEqual(
      copies.map(({ version, phase }) => [version, phase]),
      [
        [1, 'ready'],
        [3, 'ready'],
      ],
    );
    await session.describe(copies[1]!);
    assert.ok(server.asked.includes('GET /v2/models/first/versions/3'));
  });

  test('believes a body that says no over a status that says yes', async (t) => {
    const { server, backend } = await openSession(t, { lists: 'names' });
    server.answers.set('/v2/models/first/ready', (_request, response) =>
      response.end('{"name":"first","ready":false}'),
    );
    await until('the copy to fail', () => backend.ofModel('first')?.phase === 'failed');
    assert.ok(backend.isReady('second'));
  });

  test('passes statistics on, of one model or of all', async (t) => {
    const { backend, session } = await openSession(t);
    assert.deepEqual(await session.statistics('second'), [{ name: 'second', version: '1' }]);
    assert.deepEqual(await session.statistics(), [{ name: 'first' }]);
    assert.ok(backend.isReady('first'));
  });

  test('says that there are no statistics where the server does not name them', async (t) => {
    const { session } = await openSession(t, { statistics: false });
    assert.equal(session.can.statistics, false);
    await assert.rejects(session.statistics(), { code: 'backend_cannot' });
  });

  test('keeps what it knew while the list cannot be read', async (t) => {
    const { server, backend } = await openSession(t);
    let asked = 0;
    server.answers.set('/v2/repository/index', (_request, response) => {
      asked += 1;
      response.writeHead(500).end();
    });
    await until('three looks', () => asked === 3);
    assert.deepEqual(models(backend), ['first ready', 'second ready']);
    assert.deepEqual(backend.stalls, []);
  });
});
