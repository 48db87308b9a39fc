import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serveMetrics } from '../../../src/router/metrics/metrics-server.ts';

test('serveMetrics answers scrapers, and whoever looks whether it is there', async (t) => {
  const server = await serveMetrics({ port: 0, host: '127.0.0.1' }, async () => 'a 1\n');
  t.after(() => server.close());
  const get = async (path: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return [answer.status, await answer.text(), answer.headers.get('content-type')];
  };
  assert.deepEqual(await get('/metrics'), [200, 'a 1\n', 'text/plain; version=0.0.4; charset=utf-8']);
  assert.deepEqual(await get('/metrics?x=1'), [200, 'a 1\n', 'text/plain; version=0.0.4; charset=utf-8']);
  assert.deepEqual((await get('/metrics', 'HEAD')).slice(0, 2), [200, '']);
  assert.deepEqual(await get('/'), [200, '', null]);
  assert.deepEqual((await get('/metrics', 'POST')).slice(0, 1), [405]);
  assert.deepEqual((await get('/v2')).slice(0, 1), [404]);
});

test('serveMetrics collects once for scrapes at the same time, and anew for the next', async (t) => {
  let collections = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = await serveMetrics({ port: 0, host: '127.0.0.1' }, async () => {
    collections++;
    await promise;
    return `a ${collections}\n`;
  });
  t.after(() => server.close());
  const url = `http://127.0.0.1:${server.port}/metrics`;
  const both = [fetch(url), fetch(url)];
  while (collections === 0) await new Promise((next) => setImmediate(next));
  resolve();
  for (const answer of both) assert.match(await (await answer).text(), /^a \d\n$/);
  const before = collections;
  await (await fetch(url)).text();
  assert.equal(collections, before + 1);
});

test('serveMetrics says why where nothing can be collected, and goes on', async (t) => {
  let isBroken = true;
  const server = await serveMetrics({ port: 0, host: '127.0.0.1' }, async () => {
    if (isBroken) throw new Error('no mesh');
    return 'a 1\n';
  });
  t.after(() => server.close());
  const url = `http://127.0.0.1:${server.port}/metrics`;
  const broken = await fetch(url);
  assert.deepEqual([broken.status, await broken.text()], [500, 'metrics cannot be collected: no mesh\n']);
  isBroken = false;
  assert.equal((await fetch(url)).status, 200);
});
