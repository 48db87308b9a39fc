import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { addSub } from '../../../../examples/models/add-sub.ts';
import { encodeModel } from '../../../../examples/models/onnx-writer/model.ts';
import { OptimiserThreads } from '../../../../src/backends/engines/onnx/optimiser-threads.ts';
import { cpuProvider } from '../../../../src/backends/engines/onnx/providers.ts';
import { withSessionOptions } from '../../../../src/backends/engines/onnx/session-options.ts';
import { until } from '../../../fixtures/fleet-client.ts';
import { temporaryDirectory } from '../../../fixtures/model-folder.ts';
import { slowToLoadModel } from '../../../fixtures/slow-models.ts';
import { runtime, writeModel } from './opened-engine.ts';

const { api, environment } = runtime;
const options = { threads: 2, optimise: 'all', ownArena: true, provider: cpuProvider } as const;

function createSession(threads: OptimiserThreads, path: string) {
  return withSessionOptions(api, options, (pointer) => threads.createSession(environment, path, pointer));
}

/** Nice values of the threads of this process by their ids, the main one first. */
function niceValues(): Map<string, number> {
  const values = new Map<string, number>();
  for (const task of readdirSync('/proc/self/task')) {
    try {
      const stat = readFileSync(join('/proc/self/task', task, 'stat'), 'utf8');
      values.set(task, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]));
    } catch {
      // it has ended
    }
  }
  return values;
}

function optimisers(): string[] {
  return [...niceValues()].filter(([, nice]) => nice === 10).map(([task]) => task);
}

describe('OptimiserThreads', () => {
  test('hands over a session that every thread can use', async (t) => {
    const threads = new OptimiserThreads(api);
    const session = await createSession(threads, writeModel(temporaryDirectory(t), encodeModel(addSub())));
    assert.equal(api.number('SessionGetInputCount', session), 2);
    await api.releaseAsync('ReleaseSession', session);
  });

  test("rejects with the runtime's own words, and goes on", async (t) => {
    const threads = new OptimiserThreads(api);
    const directory = temporaryDirectory(t);
    await assert.rejects(
      createSession(threads, writeModel(directory, Buffer.from('no model'))),
      /Protobuf parsing failed/,
    );
    const session = await createSession(threads, writeModel(directory, encodeModel(addSub())));
    await api.releaseAsync('ReleaseSession', session);
  });

  test('gives a model to no thread that ended while it rested', async (t) => {
    const threads = new OptimiserThreads(api);
    const path = writeModel(temporaryDirectory(t), encodeModel(addSub()));
    const started = once(process, 'worker') as Promise<[Worker]>;
    await api.releaseAsync('ReleaseSession', await createSession(threads, path));
    const [worker] = await started;
    await worker.terminate();
    await api.releaseAsync('ReleaseSession', await createSession(threads, path));
  });

  test('works at a low priority, on several models at once, and leaves other threads theirs', async (t) => {
    const threads = new OptimiserThreads(api);
    const path = writeModel(temporaryDirectory(t), slowToLoadModel(150));
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, optimisers().length);
    }, 5);
    const sessions = await Promise.all([createSession(threads, path), createSession(threads, path)]);
    clearInterval(watch);
    assert.ok(most >= 2, `threads of low priority: ${most}`);
    assert.equal([...niceValues().values()][0], 0);
    for (const session of sessions) await api.releaseAsync('ReleaseSession', session);
  });

  test('ends those that rest but for the last, which the next model finds, and that one later', async (t) => {
    const before = new Set(optimisers());
    const own = () => optimisers().filter((task) => !before.has(task));
    const rests = { anyMs: 1, lastMs: 3_600_000 };
    const threads = new OptimiserThreads(api, rests);
    const path = writeModel(temporaryDirectory(t), encodeModel(addSub()));
    const prepare = async () => {
      const session = await createSession(threads, path);
      await api.releaseAsync('ReleaseSession', session);
    };
    await Promise.all([prepare(), prepare(), prepare()]);
    const [last] = await until('one is left', 20_000, () => (own().length === 1 ? own() : undefined));
    await prepare();
    assert.deepEqual(own(), [last]);
    rests.lastMs = 1;
    await prepare();
    await until('the last has ended', 20_000, () => (own().length === 0 ? true : undefined));
  });
});
