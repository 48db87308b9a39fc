import { randomFillSync } from 'node:crypto';
import type { SkeinError } from '../../protocol/errors.ts';
import { httpStatus } from '../../protocol/v2/status.ts';
import type { FinishedSpan, SpanAttributes } from './otlp-span.ts';
import { readTraceparent, type TraceParent, writeTraceparent } from './traceparent.ts';

/** One inference as its caller's trace shows it. */
export interface Span {
  /** For the backend: what it records hangs below this span. */
  readonly traceparent: string;
  /** Call once; `error` where the inference failed. */
  end(error: SkeinError | undefined): void;
}

export interface Tracer {
  /** Undefined where the caller decided not to record this trace; its own traceparent then goes on as it came. */
  start(model: string, version: number | undefined, traceparent: string): Span | undefined;
}

/** Where finished spans go. Must not block and not throw. */
export interface SpanSink {
  push(span: FinishedSpan): void;
}

/** Records what callers sample, and of traces that begin here the given share. `random` is in [0, 1). */
export function createTracer(sink: SpanSink, sampleRatio = 1, random: () => number = Math.random): Tracer {
  return {
    start(model, version, traceparent) {
      const parent = readTraceparent(traceparent === '' ? undefined : traceparent);
      const isSampled = parent === undefined ? random() < sampleRatio : parent.isSampled;
      return isSampled ? new InferSpan(sink, parent, model, version) : undefined;
    },
  };
}

class InferSpan implements Span {
  readonly traceparent: string;
  readonly #sink: SpanSink;
  readonly #parent: TraceParent | undefined;
  readonly #context: TraceParent;
  readonly #attributes: SpanAttributes;
  readonly #startedMs = performance.timeOrigin + performance.now();

  constructor(sink: SpanSink, parent: TraceParent | undefined, model: string, version: number | undefined) {
    this.#sink = sink;
    this.#parent = parent;
    this.#context = { traceId: parent?.traceId ?? randomHex(16), spanId: randomHex(8), isSampled: true };
    this.traceparent = writeTraceparent(this.#context);
    this.#attributes = {
      'http.request.method': 'POST',
      'http.route': version === undefined ? '/v2/models/{model}/infer' : '/v2/models/{model}/versions/{version}/infer',
      'skein.model': model,
      ...(version === undefined ? {} : { 'skein.model.version': version }),
    };
  }

  end(error: SkeinError | undefined): void {
    this.#sink.push({
      traceId: this.#context.traceId,
      spanId: this.#context.spanId,
      parentSpanId: this.#parent?.spanId,
      name: 'POST infer',
      startedMs: this.#startedMs,
      endedMs: performance.timeOrigin + performance.now(),
      attributes: {
        ...this.#attributes,
        'http.response.status_code': error === undefined ? 200 : httpStatus(error.kind),
        ...(error === undefined ? {} : { 'error.type': error.code }),
      },
      // A server's span is in error only where the server is at fault (OpenTelemetry's HTTP conventions).
      failure: error !== undefined && httpStatus(error.kind) >= 500 ? error.message : undefined,
    });
  }
}

/** Random bytes are drawn for many ids at once: each draw by itself costs about a microsecond. */
const pool = Buffer.allocUnsafe(4096);
let drawn = pool.byteLength;

function randomHex(bytes: number): string {
  if (drawn + bytes > pool.byteLength) {
    randomFillSync(pool);
    drawn = 0;
  }
  const text = pool.toString('hex', drawn, drawn + bytes);
  drawn += bytes;
  return text;
}
