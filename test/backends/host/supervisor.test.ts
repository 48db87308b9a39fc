import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackendProcessOptions } from '../../../src/backends/host/process-options.ts';
import { Supervisor } from '../../../src/backends/host/supervisor.ts';
import { until } from '../../adapters/until.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';

const program = [process.execPath, join(import.meta.dirname, 'child-program.ts')];

interface Supervised {
  readonly supervisor: Supervisor;
  readonly logs: { readonly message: string; readonly facts: Record<string, unknown> }[];
  start(id: string): void;
  onDemand(id: string): void;
  /** Process ids, in the order in which they were started. */
  pids(): number[];
  lines(): string[];
}

function supervise(t: { after(hook: () => unknown): void }, command: readonly string[] = program): Supervised {
  const address = join(temporaryDirectory(t), 'starts');
  const logs: Supervised['logs'] = [];
  const supervisor = new Supervisor({
    program: command,
    env: process.env,
    memoryBytes: 1_000,
    cores: 2,
    log: (message, facts) => logs.push({ message, facts }),
  });
  t.after(() => supervisor.stopAll());
  const lines = () => {
    try {
      return readFileSync(address, 'utf8').trim().split('\n');
    } catch {
      return [];
    }
  };
  const budget = { engine: 'onnx', budgetBytes: 100, ceilingBytes: 1_000, sharesBudget: true, idleExitMs: 0 };
  const limits = { cores: 2, loads: 1, drainTimeoutMs: 200 };
  const optionsOf = (id: string) => ({ id, address, ...limits, ...budget }) as BackendProcessOptions;
  return {
    supervisor,
    logs,
    start: (id) => supervisor.start(optionsOf(id)),
    onDemand: (id) => void supervisor.add({ ...optionsOf(id), idleExitMs: 1 }),
    lines,
    pids: () =>
      lines()
        .filter((line) => /^\d+ /.test(line))
        .map((line) => Number.parseInt(line, 10)),
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('Supervisor', () => {
  test('starts a process on demand, leaves it gone when it has ended by itself, and starts it when it is wanted again', async (t) => {
    const { supervisor, pids, onDemand } = supervise(t);
    onDemand('idle');
    await sleep(100);
    assert.deepEqual(pids(), []);
    for (const starts of [1, 2]) {
      supervisor.wake('idle');
      supervisor.wake('idle');
      await until('the process', () => pids().length === starts);
      await until('its end', () => !isAlive(pids().at(-1)!));
      await sleep(150);
      assert.equal(pids().length, starts);
    }
  });

  test('divides its memory among processes by what they tell, and takes back what one had that is gone', async (t) => {
    const { lines, start, supervisor } = supervise(t);
    start('shares');
    await until('a larger budget', () => lines().includes('told {"budgetBytes":1000}'));
    await supervisor.stop('shares');
  });

  test('divides its cores among processes by what they tell', async (t) => {
    const { lines, start, supervisor } = supervise(t);
    start('busy');
    start('busy too');
    await until(
      'its share',
      () => lines().includes('busy told {"cores":1}') && lines().includes('busy too told {"cores":1}'),
    );
    await supervisor.stop('busy too');
    await until('all of them', () => lines().includes('busy told {"cores":2}'));
  });

  test('starts a process, gives it threads, and starts it again when it is killed', async (t) => {
    const { supervisor, start, pids, lines } = supervise(t);
    start('lives');
    await until('the start', () => pids().length === 1);
    const end = supervisor.endOf('lives', 5_000);
    process.kill(pids()[0]!, 'SIGKILL');
    assert.deepEqual(await end, { kind: 'signal', signal: 'SIGKILL' });
    await until('the second start', () => pids().length === 2);
    assert.ok(Number(lines()[0]!.split(' ')[1]) >= 8, 'room for runs, loads and files at once');
    assert.ok(isAlive(pids()[1]!));
  });

  test('tells an end that was seen just before it was asked for, and nothing of a process that lives', async (t) => {
    const { supervisor, start, pids } = supervise(t);
    start('lives');
    await until('the start', () => pids().length === 1);
    assert.equal(await supervisor.endOf('lives', 20), undefined);
    assert.equal(await supervisor.endOf('nobody', 20), undefined);
    process.kill(pids()[0]!, 'SIGKILL');
    await until('the second start', () => pids().length === 2);
    assert.deepEqual(await supervisor.endOf('lives', 5_000), { kind: 'signal', signal: 'SIGKILL' });
  });

  test('tells how a process ended by itself, and starts it ever later while it keeps ending', async (t) => {
    const { supervisor, start, pids, logs } = supervise(t);
    start('ends');
    assert.deepEqual(await supervisor.endOf('ends', 5_000), { kind: 'exit', code: 3 });
    await until('four starts', () => pids().length >= 4);
    await supervisor.stop('ends');
    const delays = logs.map(({ facts }) => facts['delayMs'] as number);
    assert.ok(delays.length >= 3);
    for (let i = 1; i < delays.length; i++) assert.equal(delays[i], 2 * delays[i - 1]!);
    const started = pids().length;
    await sleep(2 * delays.at(-1)!);
    assert.equal(pids().length, started, 'started again after it was stopped');
  });

  test('tells the signal of a process that aborted', async (t) => {
    const { supervisor, start } = supervise(t);
    start('aborts');
    assert.deepEqual(await supervisor.endOf('aborts', 5_000), { kind: 'signal', signal: 'SIGABRT' });
  });

  test('lets a process drain when it is stopped, once, and resolves every stop when it is gone', async (t) => {
    const { supervisor, start, pids, lines } = supervise(t);
    start('lives');
    await until('the start', () => pids().length === 1);
    const end = supervisor.endOf('lives', 5_000);
    await Promise.all([supervisor.stop('lives'), supervisor.stop('lives')]);
    assert.deepEqual(lines().slice(1), ['drained']);
    assert.deepEqual(await end, { kind: 'exit', code: 0 });
    assert.ok(!isAlive(pids()[0]!));
    await supervisor.stop('lives');
  });

  test('kills a process that does not go', async (t) => {
    const { supervisor, start, pids } = supervise(t);
    start('stubborn');
    await until('the start', () => pids().length === 1);
    await supervisor.stopAll();
    assert.ok(!isAlive(pids()[0]!));
  });

  test('takes a program that cannot be started for one that ends at once, and stops', async (t) => {
    const { supervisor, start, logs } = supervise(t, ['/no/such/program']);
    start('lives');
    assert.deepEqual(await supervisor.endOf('lives', 5_000), { kind: 'exit', code: 127 });
    await until(
      'another try',
      () => logs.filter(({ message }) => message.includes('could not be started')).length >= 2,
    );
    await supervisor.stop('lives');
  });

  test('starts nothing again after it has killed all', async (t) => {
    const { supervisor, start, pids } = supervise(t);
    start('lives');
    await until('the start', () => pids().length === 1);
    supervisor.killAll();
    await until('the end', () => !isAlive(pids()[0]!));
    await sleep(200);
    assert.equal(pids().length, 1);
  });
});
