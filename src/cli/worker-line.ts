import type { ChildProcess } from 'node:child_process';
import type { Metric } from '../router/metrics/metric.ts';
import type { ProcessDesk } from './process-desk.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** A worker that does not answer a scrape in this time is left out of it. */
const collectTimeoutMs = 2_000;

/** The first router process's line to one of the others. */
export class WorkerLine {
  readonly #child: ChildProcess;
  readonly #desk: ProcessDesk;
  readonly #asked = new Map<number, (metrics: readonly Metric[]) => void>();
  /** Backends that it asked for, apart from the others: nobody else needs them. */
  readonly #apart = new Set<string>();
  #nextAsk = 1;

  constructor(child: ChildProcess, desk: ProcessDesk) {
    this.#child = child;
    this.#desk = desk;
    child.on('message', (message: FromWorker) => void this.#onMessage(message));
    child.on('error', () => {}); // 'exit' follows, and whoever started it listens to that
    child.once('exit', () => {
      for (const backend of this.#apart) desk.closeApart(backend);
    });
  }

  collect(): Promise<readonly Metric[]> {
    return new Promise((resolve) => {
      const ask = this.#nextAsk++;
      const timer = setTimeout(() => this.#answered(ask, []), collectTimeoutMs);
      this.#asked.set(ask, (metrics) => {
        clearTimeout(timer);
        resolve(metrics);
      });
      this.#send({ kind: 'collect', ask });
    });
  }

  async stop(graceMs: number): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#send({ kind: 'stop', graceMs });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs + 1_000);
    await ended;
    clearTimeout(timer);
  }

  async #onMessage(message: FromWorker): Promise<void> {
    switch (message.kind) {
      case 'metrics':
        this.#answered(message.ask, message.metrics);
        return;
      case 'endOf':
        this.#send({ kind: 'answer', ask: message.ask, value: await this.#desk.endOf(message.backend) });
        return;
      case 'openApart':
        this.#apart.add(message.backend);
        this.#send({
          kind: 'answer',
          ask: message.ask,
          value: await this.#desk.openApart(message.backend, message.engine),
        });
        return;
      case 'wake':
        this.#desk.wake(message.backend);
        return;
      case 'closeApart':
        this.#apart.delete(message.backend);
        this.#desk.closeApart(message.backend);
        return;
      default:
        message satisfies never;
    }
  }

  #answered(ask: number, metrics: readonly Metric[]): void {
    this.#asked.get(ask)?.(metrics);
    this.#asked.delete(ask);
  }

  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message);
  }
}
