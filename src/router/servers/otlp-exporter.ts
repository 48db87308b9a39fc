import { encodeSpans, type FinishedSpan, type SpanAttributes } from './otlp-span.ts';
import type { SpanSink } from './tracing.ts';

interface ExporterOptions {
  /** Base URL of a collector: spans go to `/v1/traces` below it. */
  readonly endpoint: string;
  /** For a collector that wants to know who sends. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly version: string;
  readonly resource: SpanAttributes;
  readonly log: (message: string, facts: Record<string, unknown>) => void;
}

/** Spans that wait; later ones are dropped and counted. A span is about a kilobyte. */
const queueLimit = 4_096;
const batchLimit = 512;
const intervalMs = 2_000;
const sendTimeoutMs = 10_000;

/** Sends spans to an OpenTelemetry collector (OTLP over HTTP, JSON), in batches, one at a time. */
export class OtlpExporter implements SpanSink {
  readonly #options: ExporterOptions;
  readonly #url: URL;
  readonly #timer: NodeJS.Timeout;
  #queue: FinishedSpan[] = [];
  #sending: Promise<void> | undefined;
  #isFailing = false;
  /** Dropped because the queue was full, or because the collector did not take them. */
  droppedSpans = 0;

  constructor(options: ExporterOptions) {
    this.#options = options;
    this.#url = new URL(`${options.endpoint.replace(/\/$/, '')}/v1/traces`);
    this.#timer = setInterval(() => this.#sendSoon(), intervalMs).unref();
  }

  push(span: FinishedSpan): void {
    if (this.#queue.length >= queueLimit) {
      this.droppedSpans++;
      return;
    }
    this.#queue.push(span);
    if (this.#queue.length >= batchLimit) this.#sendSoon();
  }

  /** Sends what is there, once, and stops. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#sendSoon();
    await this.#sending;
  }

  #sendSoon(): void {
    if (this.#queue.length === 0) return;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, batchLimit);
      this.#queue = this.#queue.slice(batchLimit);
      const fault = await this.#send(batch);
      this.#report(fault);
      if (fault === undefined) continue;
      this.droppedSpans += batch.length;
      return; // the rest waits for the next interval
    }
  }

  /** Why it failed, or undefined. */
  async #send(batch: readonly FinishedSpan[]): Promise<string | undefined> {
    const { headers, resource, version } = this.#options;
    try {
      const answer = await fetch(this.#url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: encodeSpans(batch, resource, version),
        signal: AbortSignal.timeout(sendTimeoutMs),
      });
      await answer.arrayBuffer();
      return answer.ok ? undefined : `HTTP status ${answer.status}`;
    } catch (fault) {
      const { message, cause } = fault as Error;
      return cause instanceof Error ? `${message}: ${cause.message}` : message;
    }
  }

  /** A collector that is away is said once, and once when it is back. */
  #report(fault: string | undefined): void {
    const isFailing = fault !== undefined;
    if (isFailing !== this.#isFailing) {
      this.#options.log(isFailing ? 'spans cannot be sent' : 'spans are sent again', {
        collector: this.#url.href,
        ...(isFailing ? { reason: fault } : {}),
      });
    }
    this.#isFailing = isFailing;
  }
}
