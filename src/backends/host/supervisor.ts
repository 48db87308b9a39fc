import { type ChildProcess, spawn } from 'node:child_process';
import { BudgetDesk, type BudgetOrder, type EndingNotice, type MemoryReport } from './budget-desk.ts';
import { CoreDesk, type CoreOrder, type CoreReport } from './core-desk.ts';
import type { BackendProcessOptions } from './process-options.ts';

/** How a process ended: by a signal, or with a code. */
export type ChildEnd =
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'exit'; readonly code: number };

interface SupervisorOptions {
  /** The program that runs a backend, given its options as its only argument. */
  readonly program: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Budget of all processes of this host that share it. */
  readonly memoryBytes: number;
  /** That the runs of all processes share. */
  readonly cores: number;
  /** Told of each end of a process that was not asked to end. */
  readonly onEnd?: (id: string, end: ChildEnd) => void;
  readonly log: (message: string, facts: Record<string, unknown>) => void;
}

const firstDelayMs = 50;
const maxDelayMs = 5_000;

/** A process that stayed up for so long is taken to be well: its next end is not counted with the earlier ones. */
const wellAfterMs = 10_000;

/** After SIGTERM and the drain a process has this long to go by itself. */
const killAfterMs = 2_000;

interface Supervised {
  readonly options: BackendProcessOptions;
  child: ChildProcess | undefined;
  startedMs: number;
  delayMs: number;
  timer: NodeJS.Timeout | undefined;
  stopping: boolean;
  lastEnd: { readonly end: ChildEnd; readonly atMs: number } | undefined;
  readonly endListeners: Set<(end: ChildEnd) => void>;
  /** It has said that it is about to end by itself. */
  ending: boolean;
  /** It was wanted since. */
  wantedAgain: boolean;
}

/** Starts backend processes and starts them again when they end, ever later while they keep ending. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #processes = new Map<string, Supervised>();
  readonly #budget: BudgetDesk;
  readonly #cores: CoreDesk;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#budget = new BudgetDesk(options.memoryBytes);
    this.#cores = new CoreDesk(options.cores);
  }

  start(options: BackendProcessOptions): void {
    this.#spawn(this.add(options));
  }

  /** Knows a process that is to be started when it is woken, and may end by itself when it is idle. */
  add(options: BackendProcessOptions): Supervised {
    const supervised: Supervised = {
      options,
      child: undefined,
      startedMs: 0,
      delayMs: firstDelayMs,
      timer: undefined,
      stopping: false,
      lastEnd: undefined,
      endListeners: new Set(),
      ending: false,
      wantedAgain: false,
    };
    this.#processes.set(options.id, supervised);
    return supervised;
  }

  /** Starts a process that was only added, or that has ended by itself. */
  wake(id: string): void {
    const supervised = this.#processes.get(id);
    if (supervised === undefined || supervised.stopping) return;
    const { child, timer } = supervised;
    if (child !== undefined && isRunning(child)) supervised.wantedAgain = supervised.ending;
    else if (timer === undefined) this.#spawn(supervised);
  }

  /** How the process of a backend that was just lost ended; undefined where it still lives after `withinMs`. */
  async endOf(id: string, withinMs: number): Promise<ChildEnd | undefined> {
    const supervised = this.#processes.get(id);
    if (supervised === undefined) return undefined;
    const { lastEnd } = supervised;
    // Its link is lost before or after its end is seen here: an end just seen is this one.
    if (lastEnd !== undefined && performance.now() - lastEnd.atMs < withinMs) return lastEnd.end;
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(undefined), withinMs);
      const done = (end: ChildEnd | undefined) => {
        clearTimeout(timer);
        supervised.endListeners.delete(done);
        resolve(end);
      };
      supervised.endListeners.add(done);
    });
  }

  /** Drains and ends one process; it is not started again. Resolves when it has ended, however often it is called. */
  async stop(id: string): Promise<void> {
    const supervised = this.#processes.get(id);
    if (supervised === undefined) return;
    const isFirst = !supervised.stopping;
    supervised.stopping = true;
    clearTimeout(supervised.timer);
    const { child, options } = supervised;
    if (child !== undefined && isRunning(child)) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      const timer = setTimeout(() => child.kill('SIGKILL'), options.drainTimeoutMs + killAfterMs);
      if (isFirst) child.kill('SIGTERM');
      await ended;
      clearTimeout(timer);
    }
    // Known until now, so that whoever is told of its end can ask for it.
    if (this.#processes.get(id) === supervised) this.#processes.delete(id);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((id) => this.stop(id)));
  }

  /** Ends every process at once, without a drain: this one is about to end itself. */
  killAll(): void {
    for (const supervised of this.#processes.values()) {
      supervised.stopping = true;
      clearTimeout(supervised.timer);
      supervised.child?.kill('SIGKILL');
    }
  }

  #spawn(supervised: Supervised): void {
    const { options } = supervised;
    supervised.timer = undefined;
    supervised.ending = false;
    supervised.wantedAgain = false;
    const [command, ...args] = this.#options.program;
    // Its standard input is its lifeline: it ends when this process does, however that ended.
    const child = spawn(command!, [...args, JSON.stringify(options)], {
      stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
      env: { ...this.#options.env, ...childEnv(options) },
    });
    supervised.child = child;
    supervised.startedMs = performance.now();
    child.stdin!.on('error', () => {}); // it is gone; 'exit' says so
    this.#share(options, (order) => {
      if (child.connected) child.send(order, () => {}); // it may end meanwhile
    });
    child.on('message', (message: MemoryReport | CoreReport | EndingNotice) => {
      if ('ending' in message) supervised.ending = true;
      else if ('wantedCores' in message) this.#cores.report(options.id, message);
      else this.#budget.report(options.id, message);
    });
    child.on('error', (fault) => {
      this.#options.log('backend process could not be started', { backend: options.id, reason: fault.message });
      // One that never was does not exit.
      if (child.pid === undefined) this.#onEnd(supervised, { kind: 'exit', code: neverStarted });
    });
    child.once('exit', (code, signal) => {
      this.#onEnd(supervised, signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal });
    });
  }

  #share(options: BackendProcessOptions, tell: (order: BudgetOrder | CoreOrder) => void): void {
    const { id, engine, budgetBytes: limitBytes, ceilingBytes } = options;
    if (options.sharesBudget) this.#budget.join({ id, engine, limitBytes, ceilingBytes }, tell);
    this.#cores.join(id, tell);
  }

  #onEnd(supervised: Supervised, end: ChildEnd): void {
    const nowMs = performance.now();
    supervised.lastEnd = { end, atMs: nowMs };
    this.#cores.leave(supervised.options.id);
    const endedByItself = supervised.options.idleExitMs > 0 && end.kind === 'exit' && end.code === 0;
    if (endedByItself || supervised.stopping) this.#budget.leave(supervised.options.id);
    for (const listener of [...supervised.endListeners]) listener(end);
    if (supervised.stopping) return;
    this.#options.onEnd?.(supervised.options.id, end);
    if (endedByItself) {
      this.#options.log('backend process ended: nothing of it is wanted', { backend: supervised.options.id });
      if (supervised.wantedAgain) this.#spawn(supervised);
      return;
    }
    const upMs = nowMs - supervised.startedMs;
    supervised.delayMs = upMs >= wellAfterMs ? firstDelayMs : Math.min(maxDelayMs, supervised.delayMs * 2);
    const delayMs = upMs >= wellAfterMs ? 0 : supervised.delayMs / 2;
    this.#options.log('backend process ended, starting it again', {
      backend: supervised.options.id,
      ...end,
      upMs: Math.round(upMs),
      delayMs,
    });
    supervised.timer = setTimeout(() => this.#spawn(supervised), delayMs);
  }
}

/** What shells say of a command that they could not start. */
const neverStarted = 127;

function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

/** libuv's pool runs the engine's calls beside files and digests; it cannot grow later, and each thread keeps a stack. */
const spareThreads = 6;

function childEnv({ cores, loads }: BackendProcessOptions): NodeJS.ProcessEnv {
  return {
    UV_THREADPOOL_SIZE: String(2 * cores + loads + spareThreads),
    // One heap a thread would keep what each of those threads has freed.
    MALLOC_ARENA_MAX: '2',
    // The router's own: an engine maps large blocks where that pays, and nowhere else.
    MALLOC_MMAP_THRESHOLD_: undefined,
    // Since 1.29 ONNX Runtime's own builds tell its makers which models are loaded, over the network, unless told not to.
    ORT_DISABLE_TELEMETRY: '1',
    // What fails is told by status, to whoever asked; TensorFlow would print it, and every load, too.
    TF_CPP_MIN_LOG_LEVEL: '3',
  };
}
