import type { ChildProcess } from 'node:child_process';
import { SkeinError } from '../protocol/errors.ts';
import { toLinkError } from '../protocol/link/link-error.ts';
import type { Metric } from '../router/metrics/metric.ts';
import type { ProcessDesk } from './process-desk.ts';
import type { RouterCall, RouterNews } from './router-news.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** A worker that does not answer in this time is left out of a scrape, and of those that a call waits for. */
const answerTimeoutMs = 2_000;

/** The first router process's line to one of the others. */
export class WorkerLine {
  readonly #child: ChildProcess;
  readonly #desk: ProcessDesk;
  readonly #takeCall: (call: RouterCall) => Promise<void>;
  readonly #asked = new Map<number, (metrics: readonly Metric[]) => void>();
  /** Backends that it asked for, apart from the others: nobody else needs them. */
  readonly #apart = new Set<string>();
  #nextAsk = 1;

  constructor(child: ChildProcess, desk: ProcessDesk, takeCall: (call: RouterCall) => Promise<void>) {
    this.#child = child;
    this.#takeCall = takeCall;
    this.#desk = desk;
    child.on('message', (message: FromWorker) => void this.#onMessage(message));
    child.on('error', () => {}); // 'exit' follows, and whoever started it listens to that
    child.once('exit', () => {
      for (const backend of this.#apart) desk.closeApart(backend);
    });
  }

  collect(): Promise<readonly Metric[]> {
    return this.#ask((ask) => ({ kind: 'collect', ask }));
  }

  /** Resolves when it goes by the news. One that is silent will when it wakes: messages stay in order. */
  async tell(news: RouterNews): Promise<void> {
    await this.#ask((ask) => ({ kind: 'news', ask, news }));
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
      case 'heard':
        this.#answered(message.ask, []);
        return;
      case 'call':
        await this.#takeCall(message.call).then(
          () => this.#send({ kind: 'answer', ask: message.ask, value: undefined }),
          (fault) =>
            this.#send({ kind: 'refused', ask: message.ask, error: toLinkError(SkeinError.from(fault), undefined) }),
        );
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

  #ask(message: (ask: number) => ToWorker): Promise<readonly Metric[]> {
    return new Promise((resolve) => {
      const ask = this.#nextAsk++;
      const timer = setTimeout(() => this.#answered(ask, []), answerTimeoutMs);
      this.#asked.set(ask, (metrics) => {
        clearTimeout(timer);
        resolve(metrics);
      });
      this.#send(message(ask));
    });
  }

  #answered(ask: number, metrics: readonly Metric[]): void {
    this.#asked.get(ask)?.(metrics);
    this.#asked.delete(ask);
  }

  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message);
  }
}
