/** Both loops against servers on a port of this process. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startClosedLoop } from '../../../src/cli/bench/closed-loop.ts';
import type { Load, Traffic } from '../../../src/cli/bench/load.ts';
import { type LoadWindow, mergeWindows } from '../../../src/cli/bench/load-window.ts';
import { startOpenLoop } from '../../../src/cli/bench/open-loop.ts';

type Answer = (path: string, response: ServerResponse) => void;

const answerAtOnce: Answer = (_path, response) => response.end('{}');

async function trafficTo(t: TestContext, answer: Answer, paths: readonly string[] = ['/a']): Promise<Traffic> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => answer(request.url ?? '', response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const large = Buffer.alloc(100_000);
  let turn = 0;
  return {
    endpoint: { protocol: 'http', host: '127.0.0.1', port: (server.address() as AddressInfo).port, isSecure: false },
    requests: paths.map((path) => [
      Buffer.from(`POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n`),
      large,
    ]),
    pick: () => turn++ % paths.length,
    timeoutMs: 60_000,
  };
}

/** Windows until one of them, or all together, are as wished. */
async function windowsUntil(load: Load, enough: (windows: readonly LoadWindow[]) => boolean): Promise<LoadWindow> {
  const windows: LoadWindow[] = [];
  do {
    await sleep(5);
    windows.push(load.cut());
  } while (!enough(windows));
  return mergeWindows(windows);
}

const answeredIn = (windows: readonly LoadWindow[]) => windows.reduce((sum, { answered }) => sum + answered, 0);
const failedIn = (windows: readonly LoadWindow[]) => windows.reduce((sum, { failed }) => sum + failed, 0);

describe('startClosedLoop', () => {
  test('keeps as many requests under way as it has connections, and counts answers', async (t) => {
    const waiting: ServerResponse[] = [];
    const traffic = await trafficTo(t, (_path, response) => waiting.push(response));
    const load = await startClosedLoop(traffic, 3);
    t.after(() => load.stop());
    while (waiting.length < 3) await sleep(5);
    await sleep(20);
    assert.equal(waiting.length, 3);
    assert.equal(load.cut().answered, 0);
    for (const response of waiting.splice(0)) response.end('{}');
    const window = await windowsUntil(load, (windows) => answeredIn(windows) === 3);
    while (waiting.length < 3) await sleep(5);
    assert.equal(window.latency.count, 3);
    const parts = window.delayUs + window.sendUs + window.waitUs + window.receiveUs;
    assert.ok(Math.abs(parts - window.latency.meanUs) < 1, `${parts} of ${window.latency.meanUs} us are accounted for`);
  });

  test('asks what the picker picks', async (t) => {
    const asked: string[] = [];
    const traffic = await trafficTo(
      t,
      (path, response) => {
        asked.push(path);
        response.end();
      },
      ['/a', '/b'],
    );
    const load = await startClosedLoop(traffic, 1);
    t.after(() => load.stop());
    await windowsUntil(load, (windows) => answeredIn(windows) >= 4);
    assert.deepEqual(asked.slice(0, 4), ['/a', '/b', '/a', '/b']);
  });

  test('counts refusals with their words, and does not time them', async (t) => {
    const traffic = await trafficTo(t, (_path, response) => response.writeHead(503).end('{"error":"busy"}'));
    const load = await startClosedLoop(traffic, 1);
    t.after(() => load.stop());
    const window = await windowsUntil(load, (windows) => failedIn(windows) > 0);
    assert.equal(window.failure, '503 {"error":"busy"}');
    assert.equal(window.latency.count, 0);
  });

  test('goes on after lost connections', async (t) => {
    let asked = 0;
    const traffic = await trafficTo(t, (_path, response) => {
      asked++;
      if (asked === 1) response.destroy();
      else response.end('{}');
    });
    const load = await startClosedLoop(traffic, 1);
    t.after(() => load.stop());
    const window = await windowsUntil(load, (windows) => answeredIn(windows) > 0);
    assert.equal(window.failed, 1);
    assert.match(window.failure ?? '', /ECONNRESET|closed before the answer|socket hang up/);
  });

  test('goes on where the server closes the connection after each answer', async (t) => {
    const traffic = await trafficTo(t, (_path, response) => response.writeHead(200, { connection: 'close' }).end('{}'));
    const load = await startClosedLoop(traffic, 2);
    t.after(() => load.stop());
    const window = await windowsUntil(load, (windows) => answeredIn(windows) >= 6);
    assert.equal(window.failed, 0, window.failure);
  });

  test('gives requests up that have no answer', async (t) => {
    const traffic = await trafficTo(t, () => {});
    const load = await startClosedLoop({ ...traffic, timeoutMs: 10 }, 1);
    t.after(() => load.stop());
    const window = await windowsUntil(load, (windows) => failedIn(windows) > 0);
    assert.equal(window.failure, 'no answer within 10 ms');
  });

  test('rejects where nobody listens', async (t) => {
    const traffic = await trafficTo(t, answerAtOnce);
    const nobody = { ...traffic, endpoint: { ...traffic.endpoint, port: 1 } };
    await assert.rejects(startClosedLoop(nobody, 2), /ECONNREFUSED/);
  });
});

describe('startOpenLoop', () => {
  const options = { kind: 'poisson', perSecond: 500, seed: 1, maxConnections: 4 } as const;

  test('sends at a rate of its own', async (t) => {
    const load = await startOpenLoop(await trafficTo(t, answerAtOnce), options);
    t.after(() => load.stop());
    const window = await windowsUntil(load, (windows) => answeredIn(windows) >= 50);
    assert.equal(window.failed, 0);
  });

  test('times what a stalled server keeps waiting from when it was due', async (t) => {
    const waiting: ServerResponse[] = [];
    let isStalled = true;
    const traffic = await trafficTo(t, (_path, response) => {
      if (isStalled) waiting.push(response);
      else response.end('{}');
    });
    const load = await startOpenLoop(traffic, { ...options, maxConnections: 1 });
    t.after(() => load.stop());
    while (waiting.length === 0) await sleep(5);
    await windowsUntil(load, (windows) => windows.at(-1)!.backlog >= 50);
    while (waiting.length < 1) await sleep(5);
    assert.equal(waiting.length, 1, 'one connection carries one request');
    isStalled = false;
    waiting[0]!.end('{}');
    const window = await windowsUntil(load, (windows) => answeredIn(windows) >= 50);
    // A generator that waits for the answer before it thinks of the next request would have one slow request.
    const { latency } = window;
    const twentieth = latency.percentileUs(100 * (1 - 20 / latency.count));
    assert.ok(
      twentieth > 0.1 * latency.maxUs,
      `the 20th longest took ${twentieth} us, the longest ${latency.maxUs} us`,
    );
    assert.ok(window.delayUs > window.waitUs, `${window.delayUs} us of delay, ${window.waitUs} us in the server`);
  });

  test('opens connections as they are needed, up to its bound', async (t) => {
    const waiting: ServerResponse[] = [];
    const traffic = await trafficTo(t, (_path, response) => waiting.push(response));
    const load = await startOpenLoop(traffic, { ...options, maxConnections: 12 });
    t.after(() => load.stop());
    await windowsUntil(load, (windows) => windows.at(-1)!.backlog >= 20);
    while (waiting.length < 12) await sleep(5);
    assert.equal(waiting.length, 12);
  });
});
