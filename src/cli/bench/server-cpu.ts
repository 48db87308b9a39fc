import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Linux counts processor time in ticks of a hundredth of a second. */
const msPerTick = 10;

interface ProcessFacts {
  readonly pid: number;
  readonly parentPid: number;
  readonly cpuMs: number;
}

/** Processor time that processes have used so far, by process. Those that ended are missing. */
export type CpuReading = ReadonlyMap<number, number>;

/** User and system time of these processes alone. */
export function readCpu(pids: readonly number[]): CpuReading {
  return new Map(pids.flatMap((pid) => factsOf(pid)).map(({ pid, cpuMs }) => [pid, cpuMs]));
}

/** The same of processes and of all that they started. */
export function readTreeCpu(rootPids: readonly number[]): CpuReading {
  return new Map(treeOf(rootPids, allProcesses()).map(({ pid, cpuMs }) => [pid, cpuMs]));
}

/** Milliseconds used between two readings; what ended in between is not known, what began counts whole. */
export function cpuBetween(before: CpuReading, after: CpuReading): number {
  let sumMs = 0;
  for (const [pid, ms] of after) sumMs += ms - (before.get(pid) ?? 0);
  return sumMs;
}

/**
 * The processes at the root of the server that listens on a port of this machine; [] where it cannot be told, because the
 * server is elsewhere, belongs to somebody else, or the system has no /proc. A listener that was started by the same
 * program, as workers are, counts to what started it, but nothing that this process itself comes from.
 */
export function serverRoots(port: number): number[] {
  try {
    const inodes = listeningInodes(port);
    if (inodes.size === 0) return [];
    const processes = new Map(allProcesses().map((facts) => [facts.pid, facts]));
    const owners = [...processes.keys()].filter((pid) => holdsSocket(pid, inodes));
    const own = ancestors(process.pid, processes);
    return [...new Set(owners.map((pid) => rootOf(pid, processes, own)))];
  } catch {
    return [];
  }
}

function treeOf(rootPids: readonly number[], all: readonly ProcessFacts[]): ProcessFacts[] {
  const tree = all.filter(({ pid }) => rootPids.includes(pid));
  const seen = new Set(tree.map(({ pid }) => pid));
  for (const { pid } of tree) {
    for (const facts of all) {
      if (facts.parentPid !== pid || seen.has(facts.pid)) continue;
      seen.add(facts.pid);
      tree.push(facts);
    }
  }
  return tree;
}

function rootOf(pid: number, all: ReadonlyMap<number, ProcessFacts>, own: ReadonlySet<number>): number {
  const program = programOf(pid);
  for (let root = pid; ; ) {
    const { parentPid } = all.get(root)!;
    if (own.has(parentPid) || !all.has(parentPid) || programOf(parentPid) !== program) return root;
    root = parentPid;
  }
}

function ancestors(pid: number, all: ReadonlyMap<number, ProcessFacts>): Set<number> {
  const found = new Set<number>();
  for (let next = all.get(pid); next !== undefined; next = all.get(next.parentPid)) found.add(next.pid);
  return found;
}

function allProcesses(): ProcessFacts[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? factsOf(Number(name)) : []));
}

/** [] of a process that has ended. */
function factsOf(pid: number): ProcessFacts[] {
  const text = read(`/proc/${pid}/stat`);
  if (text === '') return [];
  // The command, in brackets, may hold blanks: what follows the last bracket is counted.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return [{ pid, parentPid: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * msPerTick }];
}

/** Sockets that listen on the port, of either family: column 4 is the state, 10 the inode. */
function listeningInodes(port: number): Set<string> {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of read(file).split('\n')) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === '0A' && local?.endsWith(wanted) && inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}

function holdsSocket(pid: number, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    return false; // ended, or somebody else's
  }
}

function programOf(pid: number): string {
  return link(`/proc/${pid}/exe`);
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
