import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import {
  type ControlGroup,
  type Controller,
  coresOfQuota,
  findControlGroups,
  parseCpuMax,
  parseMemoryLimit,
} from './cgroup.ts';

/** What this process may use of the machine. */
export interface MachineLimits {
  /** Whole cores, at least 1: the least of the affinity mask and every CPU quota above this process. */
  readonly cores: number;
  /** The least of the host's memory and every memory limit above this process. */
  readonly memoryBytes: number;
}

/** What the operating system says without control groups. */
interface HostFacts {
  readonly cores: number;
  readonly memoryBytes: number;
}

/**
 * Reads the limits. They can change while a process runs; they are read once, at the start. `root` stands before every
 * path that is read: for tests.
 */
export function readMachineLimits(
  host: HostFacts = { cores: availableParallelism(), memoryBytes: totalmem() },
  root = '/',
): MachineLimits {
  const read = (path: string) => readText(join(root, path));
  const quotas = limitsOf('cpu', read, cpuQuota);
  const memory = limitsOf('memory', read, memoryLimit);
  // A run of one thread on a quota of 1.5 cores is not throttled, two threads are: so the half goes unused.
  const cores = Math.max(1, Math.floor(Math.min(host.cores, ...quotas)));
  return { cores, memoryBytes: Math.min(host.memoryBytes, ...memory) };
}

type Read = (path: string) => string | undefined;

function limitsOf(
  controller: Controller,
  read: Read,
  limit: (generation: ControlGroup['generation'], directory: string, read: Read) => number | undefined,
): number[] {
  const groups = findControlGroups(controller, read('/proc/self/cgroup') ?? '', read('/proc/self/mountinfo') ?? '');
  return groups
    .flatMap(({ generation, directories }) => directories.map((directory) => limit(generation, directory, read)))
    .filter((found) => found !== undefined);
}

function cpuQuota(generation: ControlGroup['generation'], directory: string, read: Read): number | undefined {
  if (generation === 2) return parseCpuMax(read(join(directory, 'cpu.max')) ?? '');
  return coresOfQuota(read(join(directory, 'cpu.cfs_quota_us')), read(join(directory, 'cpu.cfs_period_us')));
}

function memoryLimit(generation: ControlGroup['generation'], directory: string, read: Read): number | undefined {
  return parseMemoryLimit(read(join(directory, generation === 2 ? 'memory.max' : 'memory.limit_in_bytes')) ?? '');
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // no such controller, or not Linux
  }
}
