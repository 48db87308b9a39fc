import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { OtlpExporter } from '../../../src/router/servers/otlp-exporter.ts';
import type { FinishedSpan } from '../../../src/router/servers/otlp-span.ts';
import { createTracer } from '../../../src/router/servers/tracing.ts';
import { http, serveFake, until } from './serve-fake.ts';

const path = '/v2/models/simple/infer';
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const caller = `00-${traceId}-00f067aa0ba902b7-01`;

function recorder() {
  const spans: FinishedSpan[] = [];
  return { spans, push: (span: FinishedSpan) => void spans.push(span) };
}

test('createTracer hangs a span below the caller and the backend below the span', async (t) => {
  const sink = recorder();
  const { mesh, send } = await serveFake(t, {}, { tracer: createTracer(sink) });
  await send(http('POST', path, '{}', { traceparent: caller }), { settleMs: 0 });
  const [span] = sink.spans;
  assert.equal(span!.traceId, traceId);
  assert.equal(span!.parentSpanId, '00f067aa0ba902b7');
  assert.equal(mesh.inferences[0]!.request.traceparent, `00-${traceId}-${span!.spanId}-01`);
  assert.ok(span!.endedMs >= span!.startedMs);
  assert.deepEqual(span!.attributes, {
    'http.request.method': 'POST',
    'http.route': '/v2/models/{model}/infer',
    'skein.model': 'simple',
    'http.response.status_code': 200,
  });
  assert.equal(span!.failure, undefined);
});

test('createTracer begins a trace where the caller has none, for the share that is sampled', async (t) => {
  const sink = recorder();
  const draws = [0.2, 0.9];
  const { mesh, send } = await serveFake(t, {}, { tracer: createTracer(sink, 0.5, () => draws.shift()!) });
  await send(http('POST', '/v2/models/simple/versions/1/infer', '{}'), { settleMs: 0 });
  await send(http('POST', path, '{}'), { settleMs: 0 });
  assert.equal(sink.spans.length, 1);
  assert.equal(sink.spans[0]!.parentSpanId, undefined);
  assert.equal(sink.spans[0]!.attributes['skein.model.version'], 1);
  assert.match(mesh.inferences[0]!.request.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  assert.equal(mesh.inferences[1]!.request.traceparent, '');
});

test('createTracer records nothing that the caller does not, and passes its trace on', async (t) => {
  const sink = recorder();
  const { mesh, send } = await serveFake(t, {}, { tracer: createTracer(sink) });
  const unsampled = caller.replace(/01$/, '00');
  await send(http('POST', path, '{}', { traceparent: unsampled }), { settleMs: 0 });
  assert.equal(sink.spans.length, 0);
  assert.equal(mesh.inferences[0]!.request.traceparent, unsampled);
});

test("createTracer names an error, and calls it the server's only where it is", async (t) => {
  const sink = recorder();
  const { mesh, send } = await serveFake(t, {}, { tracer: createTracer(sink) });
  await send(http('POST', '/v2/models/nope/infer', '{}'), { settleMs: 0 });
  mesh.behaviour = ({ isComplete, observer }) => {
    if (isComplete) observer.onError(new SkeinError('copy_crashed', { model: 'simple' }));
  };
  await send(http('POST', path, '{}'), { settleMs: 0 });
  assert.equal(sink.spans[0]!.attributes['error.type'], 'model_unknown');
  assert.equal(sink.spans[0]!.attributes['http.response.status_code'], 404);
  assert.equal(sink.spans[0]!.failure, undefined);
  assert.equal(sink.spans[1]!.attributes['http.response.status_code'], 503);
  assert.match(sink.spans[1]!.failure!, /ended while it ran this request/);
});

interface Collected {
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly spans: readonly Record<string, unknown>[];
  readonly resource: unknown;
}

/** A collector as far as the exporter sees one; answers `status`. */
async function collector(t: TestContext, status: () => number) {
  const received: Collected[] = [];
  const server = createServer(async (req, res) => {
    let text = '';
    for await (const piece of req) text += piece;
    assert.equal(req.url, '/otlp/v1/traces');
    const [{ resource, scopeSpans }] = JSON.parse(text).resourceSpans;
    received.push({ headers: req.headers, spans: scopeSpans[0].spans, resource });
    res.writeHead(status()).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { received, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/otlp/` };
}

const finished = (name: string): FinishedSpan => ({
  ...{
    traceId,
    spanId: '00f067aa0ba902b7',
    parentSpanId: undefined,
    name,
    startedMs: 1_795_409_721_992.5,
    endedMs: 1_795_409_721_993,
  },
  attributes: { 'skein.model': 'simple', 'http.response.status_code': 503 },
  failure: 'it broke',
});

test('OtlpExporter sends spans as OTLP over HTTP has them', async (t) => {
  const { received, endpoint } = await collector(t, () => 200);
  const exporter = new OtlpExporter({
    ...{
      endpoint,
      version: '1.2.3',
      headers: { 'x-tenant': 'a' },
      resource: { 'service.name': 'skein' },
      log: () => {},
    },
  });
  exporter.push(finished('POST infer'));
  await exporter.close();
  assert.equal(received.length, 1);
  assert.equal(received[0]!.headers['x-tenant'], 'a');
  assert.deepEqual(received[0]!.resource, { attributes: [{ key: 'service.name', value: { stringValue: 'skein' } }] });
  assert.deepEqual(received[0]!.spans, [
    {
      traceId,
      spanId: '00f067aa0ba902b7',
      name: 'POST infer',
      kind: 2,
      startTimeUnixNano: '1795409721992500000',
      endTimeUnixNano: '1795409721993000000',
      attributes: [
        { key: 'skein.model', value: { stringValue: 'simple' } },
        { key: 'http.response.status_code', value: { intValue: '503' } },
      ],
      status: { code: 2, message: 'it broke' },
    },
  ]);
});

test('OtlpExporter drops what it cannot send, counts it, and says so once', async (t) => {
  let status = 500;
  const { received, endpoint } = await collector(t, () => status);
  const logged: string[] = [];
  const exporter = new OtlpExporter({ endpoint, version: '1', resource: {}, log: (message) => logged.push(message) });
  for (let i = 0; i < 512; i++) exporter.push(finished('a'));
  await until(() => exporter.droppedSpans === 512);
  for (let i = 0; i < 512; i++) exporter.push(finished('b'));
  await until(() => exporter.droppedSpans === 1_024);
  assert.deepEqual(logged, ['spans cannot be sent']);
  status = 200;
  exporter.push(finished('c'));
  await exporter.close();
  assert.deepEqual(logged, ['spans cannot be sent', 'spans are sent again']);
  assert.equal(received.at(-1)!.spans.length, 1);
});

test('OtlpExporter holds no more than its queue takes while the collector is away', async () => {
  const endpoint = 'http://127.0.0.1:1';
  const exporter = new OtlpExporter({ endpoint, version: '1', resource: {}, log: () => {} });
  for (let i = 0; i < 10_000; i++) exporter.push(finished('a'));
  assert.ok(exporter.droppedSpans >= 10_000 - 4_096 - 512);
  await exporter.close();
  assert.ok(exporter.droppedSpans >= 10_000 - 4_096);
});
