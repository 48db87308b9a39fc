import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchModel, writeBenchModels } from '../../examples/models/write-bench-models.ts';
import { type CpuReading, readCpu, readTreeCpu } from '../../src/cli/bench/server-cpu.ts';
import { processTree } from '../../test/fixtures/process-tree.ts';
import { type SkeinProcess, startSkein } from '../../test/fixtures/skein-process.ts';
import type { Contender } from './turns.ts';

/** A whole `skein serve` with its defaults, in processes of its own. */
export interface SkeinServer {
  readonly process: SkeinProcess;
  readonly repository: string;
  /** The time of router and backends counts. */
  whole(name: string): Contender;
  /** The time of the router processes counts, that of backends does not. */
  routerAlone(name: string): Contender;
  stop(): Promise<void>;
}

export async function startSkeinServer(
  models: readonly BenchModel[] | ((repository: string) => void),
  args: readonly string[] = [],
  program?: string,
): Promise<SkeinServer> {
  const repository = mkdtempSync(join(tmpdir(), 'skein-bench-'));
  const clean = () => rmSync(repository, { recursive: true, force: true });
  try {
    if (typeof models === 'function') models(repository);
    else writeBenchModels(repository, [...models]);
    const skein = await startSkein({ repository, args, ...(program !== undefined && { program }) });
    const contender = (name: string, cpu: () => CpuReading) => ({ name, port: portOf(skein.http), cpu });
    return {
      process: skein,
      repository,
      whole: (name) => contender(name, () => readTreeCpu([skein.pid])),
      routerAlone: (name) => {
        const pids = routerPids(skein.pid);
        return contender(name, () => readCpu(pids));
      },
      stop: () => skein.stop().then(clean, clean),
    };
  } catch (fault) {
    clean();
    throw fault;
  }
}

/** The same whose backends run no model: they answer at once, as the bare servers behind the other proxies do. */
export function startEchoServer(models: readonly BenchModel[], args: readonly string[] = []): Promise<SkeinServer> {
  return startSkeinServer(models, args, fileURLToPath(new URL('../peers/echo-serve.ts', import.meta.url)));
}

/** The first one, which started all others, comes first. */
export function routerPids(mainPid: number): number[] {
  return processTree(mainPid)
    .filter(({ pid, commandLine }) => pid === mainPid || commandLine.includes('router-worker'))
    .map(({ pid }) => pid);
}

export function portOf(url: string): number {
  return Number(new URL(url).port);
}
