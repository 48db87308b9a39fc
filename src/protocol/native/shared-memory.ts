import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, readlinkSync } from 'node:fs';
import koffi from 'koffi';
import { glibcFunction } from './c-library.ts';

/** Memory of this process that others of the same user may read. */
export interface SharedMemory {
  readonly bytes: Buffer;
  /** Where they open it. */
  readonly path: string;
}

/** Memory of another process, to be read only: a write ends this one. */
export interface MappedMemory {
  readonly bytes: Buffer;
  /** After this a read ends the process. */
  unmap(): void;
}

/** Constants of Linux: the same on all its processors that Node runs on. */
const closeOnExec = 1;
const allowSealing = 2;
const addSeals = 1033;
const getSeals = 1034;
/** Its size never changes again: nobody finds pages gone under a read. */
const sealShrink = 2;
const fixedSize = 1 | sealShrink | 4;
const readOnly = 1;
const readWrite = 3;
const mapShared = 1;
const mapFailed = 0xffff_ffff_ffff_ffffn;

/** As the system names it to whoever asks what a descriptor is. */
const name = 'skein-bodies';
const pathPattern = /^\/proc\/\d+\/fd\/\d+$/;

/**
 * No file, so that no limit of /dev/shm holds for it, and gone with the last process that has it. Pages are taken as they
 * are first written. Undefined where the system has none of that.
 */
export function createSharedMemory(byteLength: number): SharedMemory | undefined {
  const calls = openCalls();
  if (calls === undefined) return undefined;
  const fd: number = calls.create(name, closeOnExec | allowSealing);
  if (fd < 0) return undefined;
  const isReady = calls.setSize(fd, byteLength) === 0 && calls.control(fd, addSeals, 'int', fixedSize) === 0;
  const bytes = isReady ? view(calls, fd, byteLength, readWrite) : undefined;
  if (bytes === undefined) {
    closeSync(fd);
    return undefined;
  }
  return { bytes: bytes.buffer, path: `/proc/${process.pid}/fd/${fd}` };
}

/** Throws an Error with the reason where `path` is not what `createSharedMemory` made in another process of this host. */
export function mapSharedMemory(path: string, byteLength: number): MappedMemory {
  const calls = openCalls();
  if (calls === undefined) throw new Error('this system shares no memory');
  if (!pathPattern.test(path) || !readlinkSync(path).startsWith(`/memfd:${name}`)) {
    throw new Error(`${path} is no memory that was made to be shared`);
  }
  const fd = openSync(path, 'r');
  try {
    const seals: number = calls.control(fd, getSeals, 'int', 0);
    if (fstatSync(fd).size !== byteLength || (seals & sealShrink) === 0)
      throw new Error(`${path} is not ${byteLength} bytes for good`);
    const mapped = view(calls, fd, byteLength, readOnly);
    if (mapped === undefined) throw new Error(`${path} cannot be mapped`);
    return { bytes: mapped.buffer, unmap: () => void calls.unmap(mapped.address, byteLength) };
  } finally {
    closeSync(fd);
  }
}

type Calls = NonNullable<ReturnType<typeof findCalls>>;

let found: Calls | undefined;

function openCalls(): Calls | undefined {
  found ??= findCalls();
  return found;
}

function findCalls() {
  const create = glibcFunction('int memfd_create(const char* name, unsigned int flags)');
  const setSize = glibcFunction('int ftruncate(int fd, int64_t length)');
  const control = glibcFunction('int fcntl(int fd, int command, ...)');
  const map = glibcFunction(
    'void* mmap(void* address, size_t length, int protection, int flags, int fd, int64_t offset)',
  );
  const unmap = glibcFunction('int munmap(void* address, size_t length)');
  const isWhole = create && setSize && control && map && unmap;
  return isWhole ? { create, setSize, control, map, unmap } : undefined;
}

function view(calls: Calls, fd: number, byteLength: number, protection: number) {
  const address = calls.map(null, byteLength, protection, mapShared, fd, 0) as bigint | null;
  if (address === null || BigInt(address) === mapFailed) return undefined;
  return { address, buffer: Buffer.from(koffi.view(address, byteLength)) };
}
