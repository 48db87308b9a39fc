import koffi, { type LibraryHandle } from 'koffi';
import { prepareNativeCalls } from './native-calls.ts';

/** Held so that koffi does not unload it. */
let library: LibraryHandle | undefined;

/** A function of glibc that other C libraries do not have, by its prototype in C; undefined where it is not there. */
export function glibcFunction(prototype: string): ReturnType<LibraryHandle['func']> | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    prepareNativeCalls();
    library ??= koffi.load(null);
    return library.func(prototype);
  } catch {
    return undefined; // musl, or an older glibc
  }
}
