import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A share of a core that processes cannot pass. */
export interface CpuCage {
  /** Moves every thread of the process into it. */
  hold(pid: number): void;
  /** What was held is free again. */
  open(): void;
}

/** Short, so that a process that is held feels slow rather than stalled. */
const periodUs = 20_000;

/** By cgroups of the one version or the other; throws an Error that says what is missing. */
export function cpuCage(name: string, cores: number): CpuCage {
  const quotaUs = Math.round(cores * periodUs);
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? unifiedCage(name, quotaUs) : legacyCage(name, quotaUs);
}

function legacyCage(name: string, quotaUs: number): CpuCage {
  const root = '/sys/fs/cgroup/cpu';
  if (!existsSync(join(root, 'cpu.cfs_quota_us')) && !existsSync(join(root, 'cgroup.procs'))) {
    throw new Error('there is no cgroup controller for CPU');
  }
  const folder = makeGroup(root, name);
  writeFileSync(join(folder, 'cpu.cfs_period_us'), String(periodUs));
  writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(quotaUs));
  return cageAt(folder, root);
}

function unifiedCage(name: string, quotaUs: number): CpuCage {
  const root = '/sys/fs/cgroup';
  writeFileSync(join(root, 'cgroup.subtree_control'), '+cpu');
  const folder = makeGroup(root, name);
  writeFileSync(join(folder, 'cpu.max'), `${quotaUs} ${periodUs}`);
  return cageAt(folder, root);
}

function makeGroup(root: string, name: string): string {
  const folder = join(root, `skein-bench-${process.pid}-${name}`);
  mkdirSync(folder);
  return folder;
}

function cageAt(folder: string, root: string): CpuCage {
  const held: number[] = [];
  return {
    hold: (pid) => {
      writeFileSync(join(folder, 'cgroup.procs'), String(pid));
      held.push(pid);
    },
    open: () => {
      for (const pid of held) moveBack(pid, root);
      rmdirSync(folder);
    },
  };
}

function moveBack(pid: number, root: string): void {
  try {
    writeFileSync(join(root, 'cgroup.procs'), String(pid));
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'ESRCH') throw fault; // ended meanwhile
  }
}
