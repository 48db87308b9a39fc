import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelOf, until } from '../../test/fixtures/fleet-client.ts';
import type { BenchPart } from '../frame/bench-part.ts';
import { startSkeinServer } from '../frame/skein-server.ts';
import { type Spread, spreadOf } from '../frame/spread.ts';

const models = ['mobilenet', 'resnet50'] as const;
const cachedLoads = 3;

/** Milliseconds of each round, by who loads. */
type Times = Map<string, number[]>;

export const loadTimes: BenchPart = {
  title: 'Load times, cold and from the cache',
  method:
    'A cold load optimises the graph and writes it with its weights into a new cache; a cached one maps them. Skein is timed over HTTP, from the load call to its answer; the runtime by itself opens the .onnx file and optimises it each time. Files are in the page cache of the system.',
  async run(bench) {
    const times = new Map(models.map((model) => [model, new Map() as Times]));
    for (let round = 0; round < bench.rounds; round++) {
      bench.say(`load-times: round ${round + 1} of ${bench.rounds}`);
      // A server of its own each round, because its cache must be empty.
      const skein = await startSkeinServer([...models]);
      try {
        for (const model of models) {
          const own = times.get(model)!;
          const path = join(skein.repository, model, '1', 'model.onnx');
          const [plain] = await loadAlone(path, '', 1);
          add(own, 'ONNX Runtime, the .onnx file', plain!);
          await engineTimes(path, own);
          await serverTimes(skein.process.http, model, own);
        }
      } finally {
        await skein.stop();
      }
    }
    return {
      bars: [],
      tables: models.map((model) => {
        const rows = [...times.get(model)!].map(([name, ms]) => ({ name, cells: [spreadOf(ms)] as Spread[] }));
        return { title: model, columns: ['load ms'], rows, drawn: 'load ms' };
      }),
      notes: [],
    };
  },
};

async function engineTimes(path: string, times: Times): Promise<void> {
  const cache = mkdtempSync(join(tmpdir(), 'skein-bench-'));
  try {
    const [cold, ...cached] = await loadAlone(path, cache, 1 + cachedLoads);
    add(times, 'Skein’s engine alone, cold', cold!);
    add(times, 'Skein’s engine alone, cached', Math.min(...cached));
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

async function serverTimes(url: string, model: string, times: Times): Promise<void> {
  add(times, 'Skein over HTTP, cold', await post(`${url}/v2/repository/models/${model}/load`));
  const cached: number[] = [];
  for (let i = 0; i < cachedLoads; i++) {
    await post(`${url}/v2/repository/models/${model}/unload`);
    // The call does not wait until the memory is free, and a copy that is on its way out needs no load.
    await until('its copies are gone', 30_000, async () => {
      return (await modelOf(url, model)).copies.length === 0 ? true : undefined;
    });
    cached.push(await post(`${url}/v2/repository/models/${model}/load`));
  }
  add(times, 'Skein over HTTP, cached', Math.min(...cached));
}

/** How long it took, in milliseconds. */
async function post(url: string): Promise<number> {
  const startMs = performance.now();
  const answer = await fetch(url, { method: 'POST' });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${text}`);
  return performance.now() - startMs;
}

async function loadAlone(path: string, cache: string, count: number): Promise<number[]> {
  const child = fork(fileURLToPath(new URL('../peers/raw-load.ts', import.meta.url)), [path, cache]);
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the loader ended')));
  ended.catch(() => {}); // at its end nobody waits
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    child.send('load');
    const [ms] = (await Promise.race([once(child, 'message'), ended])) as [number];
    times.push(ms);
  }
  child.disconnect();
  return times;
}

function add(times: Times, name: string, ms: number): void {
  const own = times.get(name) ?? [];
  own.push(ms);
  times.set(name, own);
}
