import koffi, { type KoffiFunc } from 'koffi';

/** Kernels also run on the thread that calls a runtime: koffi's default stack of 128 KiB is too small for some. */
const stackBytes = 8 * 1024 * 1024;

let isPrepared = false;

/** Sets what asynchronous calls run on. koffi takes that before its first library alone: every runtime calls this first. */
export function prepareNativeCalls(): void {
  if (isPrepared) return;
  isPrepared = true;
  koffi.config({ async_stack_size: stackBytes, resident_async_pools: 4, max_async_calls: maxCalls + callsOfOthers });
}

/** koffi refuses a call beyond what it was told: what is more waits here. */
const maxCalls = 240;
const callsOfOthers = 16;

/** Calls of one library on threads of koffi's pool. */
export class NativeCalls {
  #calling = 0;
  readonly #waiting: (() => void)[] = [];

  /** The arguments must stay referenced, off the JavaScript heap, until the promise settles. */
  call<A, R>(bound: KoffiFunc<(...args: A[]) => R>, args: readonly A[]): Promise<R> {
    return new Promise((resolve, reject) => {
      const start = () => {
        this.#calling += 1;
        bound.async(...args, (fault: Error | null, result: R) => {
          this.#calling -= 1;
          this.#waiting.shift()?.();
          if (fault === null) resolve(result);
          else reject(fault);
        });
      };
      if (this.#calling < maxCalls) start();
      else this.#waiting.push(start);
    });
  }
}
