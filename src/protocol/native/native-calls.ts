import koffi from 'koffi';

/** Kernels also run on the thread that calls a runtime: koffi's default stack of 128 KiB is too small for some. */
const stackBytes = 8 * 1024 * 1024;

let isPrepared = false;

/** Sets what asynchronous calls run on. koffi takes that before its first library alone: every runtime calls this first. */
export function prepareNativeCalls(): void {
  if (isPrepared) return;
  isPrepared = true;
  koffi.config({ async_stack_size: stackBytes, resident_async_pools: 4, max_async_calls: 256 });
}
