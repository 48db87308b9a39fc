import koffi, { type KoffiFunc, type LibraryHandle } from 'koffi';

type Copy = KoffiFunc<(to: bigint | Uint8Array, from: Uint8Array | bigint, bytes: number) => void>;

/**
 * Copies between JavaScript and memory of a runtime, which is never made an ArrayBuffer for that: V8 counts the bytes of
 * one as its own and collects the whole heap for every 32 MiB of them, a tenth of a backend's time at images of 602 kB.
 */
export function copyIn(to: bigint, parts: readonly Uint8Array[]): void {
  copy ??= findCopy();
  let at = to;
  for (const part of parts) {
    if (part.byteLength > 0) copy(at, part, part.byteLength);
    at += BigInt(part.byteLength);
  }
}

/** A buffer of its own. */
export function copyOut(from: bigint, byteLength: number): Buffer {
  copy ??= findCopy();
  const bytes = Buffer.allocUnsafeSlow(byteLength);
  if (byteLength > 0) copy(bytes, from, byteLength);
  return bytes;
}

/** Over 64 bytes, so that V8 keeps the array outside its own heap, where the collector does not move it. */
const minOffHeapPointers = 16;

/** For C to read and write while a call is under way. */
export function pointerArray(count: number): BigUint64Array {
  return new BigUint64Array(Math.max(minOffHeapPointers, count));
}

let copy: Copy | undefined;

/** Held so that koffi does not unload it. */
let library: LibraryHandle | undefined;

function findCopy(): Copy {
  library = koffi.load(process.platform === 'win32' ? 'ucrtbase.dll' : null);
  return library.func('void memcpy(void* to, const void* from, size_t bytes)') as Copy;
}
