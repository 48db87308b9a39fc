/**
 * Where the control groups of a process are, and what their files say. Both generations, and the mixture in which
 * systemd keeps v1 controllers beside an empty v2 tree. Sources: cgroups(7), proc_pid_mountinfo(5), the kernel's
 * Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst. Pure: texts in, facts out.
 */

export type Controller = 'cpu' | 'memory';

export interface ControlGroup {
  readonly generation: 1 | 2;
  /** Directories from the group of the process up to the top of what is mounted here: a limit on any of them holds. */
  readonly directories: readonly string[];
}

interface CgroupMount {
  readonly generation: 1 | 2;
  /** What of the hierarchy is mounted: `/` or, in a container without a namespace of its own, the container's group. */
  readonly root: string;
  readonly mountPoint: string;
  readonly controllers: readonly string[];
}

/**
 * The groups that may limit `controller`, from /proc/self/cgroup and /proc/self/mountinfo. One of each generation at most;
 * which of them has the controller shows only in which files are there.
 */
export function findControlGroups(controller: Controller, cgroupText: string, mountinfoText: string): ControlGroup[] {
  const mounts = parseMounts(mountinfoText);
  const groups: ControlGroup[] = [];
  for (const line of cgroupText.split('\n')) {
    const [hierarchy, controllers, ...path] = line.split(':');
    const generation = hierarchy === '0' && controllers === '' ? 2 : 1;
    if (generation === 1 && !controllers?.split(',').includes(controller)) continue;
    const mount = mounts.find(
      (m) => m.generation === generation && (generation === 2 || m.controllers.includes(controller)),
    );
    if (mount !== undefined) groups.push({ generation, directories: directoriesUpward(mount, path.join(':')) });
  }
  return groups;
}

function parseMounts(text: string): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of text.split('\n')) {
    const [left, right] = line.split(' - ');
    const [type, , options] = right?.split(' ') ?? [];
    if (left === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    const [, , , root = '/', mountPoint = '/'] = left.split(' ').map(unescapeOctal);
    mounts.push({ generation: type === 'cgroup2' ? 2 : 1, root, mountPoint, controllers: options?.split(',') ?? [] });
  }
  return mounts;
}

/** The kernel writes spaces, tabs, newlines and backslashes of paths as \040 and so on. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function directoriesUpward({ root, mountPoint }: CgroupMount, path: string): string[] {
  const below = pathBelow(root, path);
  const names = below.split('/').filter((name) => name !== '');
  return Array.from({ length: names.length + 1 }, (_, up) =>
    [mountPoint, ...names.slice(0, names.length - up)].join('/'),
  );
}

/** `path` from `root`, '' where it is the root itself or not below it: then the mount point is as near as one can get. */
function pathBelow(root: string, path: string): string {
  if (path.split('/').includes('..')) return '';
  if (root === '/') return path;
  return path.startsWith(`${root}/`) ? path.slice(root.length) : '';
}

/** Cores in cpu.max (`150000 100000` is 1.5); undefined for `max` and for what cannot be read. */
export function parseCpuMax(text: string): number | undefined {
  const [quota, period = '100000'] = text.trim().split(/\s+/);
  return coresOfQuota(quota, period);
}

/** Cores of cpu.cfs_quota_us and cpu.cfs_period_us, both in µs; a quota of -1 is none. */
export function coresOfQuota(quota: string | undefined, period: string | undefined): number | undefined {
  const [quotaUs, periodUs] = [positive(quota), positive(period)];
  return quotaUs === undefined || periodUs === undefined ? undefined : quotaUs / periodUs;
}

/** Bytes in memory.max or memory.limit_in_bytes; undefined for `max`. v1 writes "none" as a number near 2^63. */
export function parseMemoryLimit(text: string): number | undefined {
  const bytes = positive(text);
  return bytes === undefined || bytes >= 2 ** 62 ? undefined : bytes;
}

function positive(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  return /^\d+$/.test(trimmed) && Number(trimmed) > 0 ? Number(trimmed) : undefined;
}
