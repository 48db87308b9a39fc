import { lstat, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';

/** What a file looked like; two looks are told apart by it without reading the file. */
export interface FileLook {
  readonly stamp: string;
  readonly modifiedMs: number;
  readonly isDirectory: boolean;
}

/** Links that lead out of the repository are not followed unless its owner allows it. */
export interface LinkRule {
  /** The repository's directory, its own links followed. */
  readonly root: string;
  readonly followOutside: boolean;
}

/** One file as a scan saw it, links followed. As long as all look like that, another scan would find the same. */
export interface SeenFile {
  readonly path: string;
  /** -1: nothing was there. */
  readonly mtimeMs: number;
  readonly size: number;
  readonly device: number;
  /** Of what a link leads to, which may be another file of the same size and time; 0: it is no link. */
  readonly targetInode: number;
}

export interface LookRule extends LinkRule {
  /** Where every look is noted that was not refused. */
  readonly seen?: SeenFile[] | undefined;
}

/**
 * Undefined where nothing is there. Inode numbers are left out of the stamp, so that routers which see the same repository
 * through different mounts agree.
 */
export async function lookAt(path: string, rule: LookRule): Promise<FileLook | undefined> {
  try {
    const link = await lstat(path);
    const stats = link.isSymbolicLink() ? await followed(path, rule) : link;
    const { mtimeMs, size } = stats;
    rule.seen?.push({ path, mtimeMs, size, device: stats.dev, targetInode: stats === link ? 0 : stats.ino });
    const stamp = `${microseconds(mtimeMs)}.${size.toString(36)}`;
    return { stamp, modifiedMs: mtimeMs, isDirectory: stats.isDirectory() };
  } catch (fault) {
    if (!isAbsent(fault)) throw fault;
    rule.seen?.push({ path, mtimeMs: -1, size: 0, device: 0, targetInode: 0 });
    return undefined;
  }
}

/** A model that is a directory (a SavedModel, a large ONNX model) is told by the file at its heart as well. */
export async function lookAtModel(path: string, heart: string, rule: LookRule): Promise<FileLook | undefined> {
  const look = await lookAt(path, rule);
  if (look?.isDirectory !== true) return look;
  const inner = await lookAt(join(path, heart), rule);
  return inner === undefined ? look : { ...look, stamp: `${look.stamp}.${inner.stamp}` };
}

async function followed(path: string, rule: LinkRule) {
  const real = await realpath(path);
  refuseOutside(path, real, rule);
  return stat(real);
}

/** `real` is `path` with every link followed. */
export function refuseOutside(path: string, real: string, { root, followOutside }: LinkRule): void {
  if (followOutside || real === root || real.startsWith(root + sep)) return;
  const shown = path.startsWith(root + sep) ? path.slice(root.length + 1) : path;
  throw new SkeinError('link_outside', { path: shown });
}

/** As exact as a double keeps the time stamps of this century. */
function microseconds(timeMs: number): string {
  return Math.round(timeMs * 1000).toString(36);
}

/** The newest of the times in a stamp, or in several that were put together, in milliseconds of the wall clock. */
export function stampTimeMs(stamp: string): number {
  const times = stamp.split('-').map((part) => Number.parseInt(part, 36) / 1_000);
  return Math.max(0, ...times.filter(Number.isFinite));
}

export function isAbsent(fault: unknown): boolean {
  const code = (fault as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
