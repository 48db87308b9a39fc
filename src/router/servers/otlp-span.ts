/** A span that has ended, ready to be sent. */
export interface FinishedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** Since the epoch, with fractions. */
  readonly startedMs: number;
  readonly endedMs: number;
  readonly attributes: SpanAttributes;
  /** Why the server failed; undefined where it did not. */
  readonly failure: string | undefined;
}

export type SpanAttributes = Readonly<Record<string, string | number>>;

/** SPAN_KIND_SERVER and STATUS_CODE_ERROR of opentelemetry/proto/trace/v1/trace.proto. */
const serverKind = 2;
const errorStatus = 2;

/** The body of POST /v1/traces: OTLP 1.x in its JSON form (ids as hex, 64-bit numbers as text). */
export function encodeSpans(spans: readonly FinishedSpan[], resource: SpanAttributes, scopeVersion: string): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: encodeAttributes(resource) },
        scopeSpans: [{ scope: { name: 'skein', version: scopeVersion }, spans: spans.map(encodeSpan) }],
      },
    ],
  });
}

function encodeSpan(span: FinishedSpan): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: serverKind,
    startTimeUnixNano: nanoseconds(span.startedMs),
    endTimeUnixNano: nanoseconds(span.endedMs),
    attributes: encodeAttributes(span.attributes),
    status: span.failure === undefined ? {} : { code: errorStatus, message: span.failure },
  };
}

function encodeAttributes(attributes: SpanAttributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: String(value) },
  }));
}

/** A double holds today's milliseconds with a resolution of a quarter of a microsecond: that is what there is to say. */
function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n);
}
