import { Worker } from 'node:worker_threads';
import type { Pointer, RuntimeApi } from './runtime-api.ts';

/** How long a thread rests until it ends: its heap is memory that models could have. */
interface Rests {
  readonly anyMs: number;
  /** The last one rests longer: to start one takes 40 to 60 ms of a core, to optimise a small model 20. */
  readonly lastMs: number;
}

const usualRests: Rests = { anyMs: 2_000, lastMs: 5_000 };

interface Thread {
  readonly worker: Worker;
  idleTimer: NodeJS.Timeout | undefined;
  done: PromiseWithResolvers<Pointer> | undefined;
}

/** Pointers mean the same in every thread of the process. */
interface ThreadData {
  /** Whose packages the thread uses. */
  readonly importer: string;
  readonly createSession: Pointer;
  readonly getErrorMessage: Pointer;
  readonly releaseStatus: Pointer;
}

interface Order {
  readonly environment: Pointer;
  readonly path: string;
  readonly options: Pointer;
}

type Result = { readonly session: Pointer } | { readonly error: string };

/**
 * Creates sessions when nobody else wants the cores: on threads of low priority, one for each creation under way. To
 * optimise a graph takes seconds of a core, and on one of koffi's threads it takes them from the runs beside it: measured
 * on two cores, eight loads at once made the 99th percentile of a model of 15 ms five to eight times as long; like this,
 * once to twice. The priority is also that of the threads that the session runs on, for good: such a session only serves
 * to write its graph.
 */
export class OptimiserThreads {
  readonly #data: ThreadData;
  readonly #rests: Rests;
  readonly #idle: Thread[] = [];

  constructor(api: RuntimeApi, rests = usualRests) {
    this.#rests = rests;
    this.#data = {
      importer: import.meta.url,
      createSession: api.addressOf('CreateSession'),
      getErrorMessage: api.addressOf('GetErrorMessage'),
      releaseStatus: api.addressOf('ReleaseStatus'),
    };
  }

  /** Rejects with the runtime's own text. */
  createSession(environment: Pointer, path: string, options: Pointer): Promise<Pointer> {
    const thread = this.#idle.pop() ?? this.#start();
    clearTimeout(thread.idleTimer);
    thread.done = Promise.withResolvers();
    thread.worker.ref();
    thread.worker.postMessage({ environment, path, options } satisfies Order);
    return thread.done.promise;
  }

  #start(): Thread {
    // As text: a thread that reads TypeScript brings the compiler with it, 12 MB instead of 4.
    const worker = new Worker(`(${runThread})()`, { eval: true, workerData: this.#data });
    const thread: Thread = { worker, idleTimer: undefined, done: undefined };
    worker.on('message', (result: Result) => this.#finish(thread, result));
    worker.on('error', (fault) => thread.done?.reject(fault));
    worker.on('exit', () => {
      this.#forget(thread);
      thread.done?.reject(new Error('the thread that optimises graphs ended'));
    });
    return thread;
  }

  #finish(thread: Thread, result: Result): void {
    const { done, worker } = thread;
    thread.done = undefined;
    worker.unref();
    this.#idle.push(thread);
    thread.idleTimer = setTimeout(() => this.#rested(thread), this.#rests.anyMs).unref();
    if ('error' in result) done?.reject(new Error(result.error));
    else done?.resolve(result.session);
  }

  #rested(thread: Thread): void {
    if (this.#idle.length > 1) this.#end(thread);
    else thread.idleTimer = setTimeout(() => this.#end(thread), this.#rests.lastMs).unref();
  }

  #end(thread: Thread): void {
    this.#forget(thread);
    void thread.worker.terminate();
  }

  #forget(thread: Thread): void {
    clearTimeout(thread.idleTimer);
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}

/** The whole program of a thread: it sees nothing of this file. */
function runThread(): void {
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads');
  const { createRequire } = process.getBuiltinModule('node:module');
  const { setPriority } = process.getBuiltinModule('node:os');
  const { importer, createSession, getErrorMessage, releaseStatus } = workerData as ThreadData;
  const koffi = createRequire(importer)('koffi') as typeof import('koffi');
  // A tenth of the share of a run: at the least priority (19) a model would wait for ever on a machine that is busy.
  const niceness = 10;
  // Linux has a priority for each thread, which the threads that it starts inherit; elsewhere it is the whole process's.
  if (process.platform === 'linux') setPriority(niceness);
  // Constants are folded by kernels on this very stack.
  koffi.config({ sync_stack_size: 4 * 1024 * 1024 });
  koffi.load(null); // takes the memory that its calls need
  const create = koffi.decode(
    createSession,
    koffi.proto('void* create(void* env, const char* path, void* options, void* out)'),
  );
  const message = koffi.decode(getErrorMessage, koffi.proto('const char* message(void* status)'));
  const release = koffi.decode(releaseStatus, koffi.proto('void release(void* status)'));
  parentPort!.on('message', ({ environment, path, options }: Order) => {
    const out = Buffer.alloc(8);
    const status = create(environment, path, options, out);
    if (status === null) parentPort!.postMessage({ session: out.readBigUInt64LE() } satisfies Result);
    else {
      parentPort!.postMessage({ error: message(status) } satisfies Result);
      release(status);
    }
  });
}
