import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { cpuBetween, readCpu, readTreeCpu, serverRoots } from '../../../src/cli/bench/server-cpu.ts';

/** Listens in a child of the process that is started, as workers do; burns CPU when told to. */
const worker = `
  const server = require('node:net').createServer().listen(0, '127.0.0.1', () => process.send(server.address().port));
  process.on('disconnect', () => process.exit());
  process.on('message', () => {
    while (process.cpuUsage().user < 300_000);
    process.send(0);
  });
`;
const parent = `
  const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(worker)}], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (message) => process.send(message));
  process.on('message', (message) => child.send(message));
  process.on('disconnect', () => process.exit());
`;

async function startWorkers(t: TestContext) {
  const child = spawn(process.execPath, ['-e', parent], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  t.after(() => child.disconnect());
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

describe('serverRoots', () => {
  test('finds what started the process that listens', async (t) => {
    const { child, port } = await startWorkers(t);
    assert.deepEqual(serverRoots(port), [child.pid]);
  });

  test('does not climb to what it was started by itself', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    assert.deepEqual(serverRoots((server.address() as AddressInfo).port), [process.pid]);
  });

  test('finds nobody where nobody listens', () => assert.deepEqual(serverRoots(1), []));
});

describe('readTreeCpu', () => {
  test('adds up a process and what it started', async (t) => {
    const { child } = await startWorkers(t);
    const [before, beforeAlone] = [readTreeCpu([child.pid!]), readCpu([child.pid!])];
    assert.equal(before.size, 2);
    child.send(0);
    await once(child, 'message');
    const spentMs = cpuBetween(before, readTreeCpu([child.pid!]));
    const spentAloneMs = cpuBetween(beforeAlone, readCpu([child.pid!]));
    assert.ok(spentMs > spentAloneMs + 100, `${spentMs} ms in all, ${spentAloneMs} ms without the child`);
  });

  test('knows nothing of processes that are not there', () => {
    assert.equal(readTreeCpu([2 ** 22 + 1]).size, 0);
  });
});

describe('cpuBetween', () => {
  test('counts what began meanwhile, and leaves out what ended', () => {
    const before = new Map([
      [1, 100],
      [2, 500],
    ]);
    assert.equal(
      cpuBetween(
        before,
        new Map([
          [1, 130],
          [3, 20],
        ]),
      ),
      50,
    );
  });
});
