import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { mergeMetrics } from '../../../src/router/metrics/merge-metrics.ts';
import { otherModels } from '../../../src/router/metrics/model-labels.ts';
import { RouterMetrics } from '../../../src/router/metrics/router-metrics.ts';
import { FakeMesh, statisticsOf } from '../servers/fake-mesh.ts';

/** Values by name and labels, as a scraper reads them. */
function parse(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

async function scrape(...processes: RouterMetrics[]): Promise<Map<string, number>> {
  return parse(await mergeMetrics(await Promise.all(processes.map((one) => one.collectRouterMetrics()))));
}

test("RouterMetrics shows the backends' totals under Triton's names, in microseconds", async () => {
  const mesh = new FakeMesh();
  mesh.statisticsRows = [statisticsOf('simple', 1, { success: 3 })];
  const values = await scrape(new RouterMetrics(mesh, 10));
  const of = (name: string) => values.get(`nv_inference_${name}{model="simple",version="1"}`);
  assert.equal(of('request_success'), 3);
  assert.equal(of('count'), 3);
  assert.equal(of('exec_count'), 3);
  for (const stage of ['request', 'queue', 'compute_input', 'compute_infer', 'compute_output']) {
    assert.equal(of(`${stage}_duration_us`), 3_000);
  }
  assert.equal(of('pending_request_count'), 2);
  assert.equal(values.get('nv_model_load_duration_secs{model="simple",version="1"}'), 0.04);
});

test('RouterMetrics shows how large batches are', async () => {
  const mesh = new FakeMesh();
  const batches = [
    [1, 4],
    [3, 2],
    [200, 1],
  ] as const;
  mesh.statisticsRows = [statisticsOf('simple', 1, { batches })];
  const values = await scrape(new RouterMetrics(mesh, 10));
  const bucket = (le: string) => values.get(`skein_batch_size_bucket{model="simple",version="1",le="${le}"}`);
  assert.deepEqual(['1', '2', '4', '128', '+Inf'].map(bucket), [4, 4, 6, 6, 7]);
  assert.equal(values.get('skein_batch_size_sum{model="simple",version="1"}'), 210);
  assert.equal(values.get('skein_batch_size_count{model="simple",version="1"}'), 7);
});

test('RouterMetrics keeps totals when copies are evicted or their backend cannot be asked', async () => {
  const mesh = new FakeMesh();
  const metrics = new RouterMetrics(mesh, 10);
  const seen: (number | undefined)[] = [];
  for (const rows of [[statisticsOf('simple', 1, { success: 9 })], [], [statisticsOf('simple', 1, { success: 2 })]]) {
    mesh.statisticsRows = rows;
    seen.push((await scrape(metrics)).get('nv_inference_request_success{model="simple",version="1"}'));
  }
  mesh.statistics = async () => {
    throw new SkeinError('no_backend', { model: '', detail: '' });
  };
  const values = await scrape(metrics);
  seen.push(values.get('nv_inference_request_success{model="simple",version="1"}'));
  assert.deepEqual(seen, [9, 9, 9, 9]);
  assert.equal(values.get('skein_scrape_failures_total'), 1);
});

test('RouterMetrics shows durations and failures as clients saw them', async () => {
  const metrics = new RouterMetrics(new FakeMesh(), 10);
  metrics.front.inferred('simple', 0.003, undefined);
  metrics.front.inferred('simple', 2, new SkeinError('queue_full'));
  metrics.front.inferred('made-up', 2, new SkeinError('model_unknown', { model: 'made-up' }));
  metrics.front.inferred(undefined, 2, new SkeinError('body_stalled'));
  metrics.front.refused('http_malformed');
  metrics.front.connections = 3;
  const values = await scrape(metrics);
  assert.equal(values.get('skein_request_duration_seconds_bucket{model="simple",le="0.005"}'), 1);
  assert.equal(values.get('skein_request_duration_seconds_count{model="simple"}'), 2);
  assert.equal(values.get('nv_inference_request_failure{model="simple",reason="REJECTED"}'), 1);
  assert.equal(values.get('nv_inference_request_failure{model="simple",reason="BACKEND"}'), 0);
  assert.equal(values.get('skein_request_errors_total{code="model_unknown"}'), 1);
  assert.equal(values.get('skein_request_errors_total{code="body_stalled"}'), 1);
  assert.equal(values.get('skein_http_refusals_total{code="http_malformed"}'), 1);
  assert.equal(values.get('skein_http_connections'), 3);
  assert.ok(![...values.keys()].some((key) => key.includes('made-up')));
});

test('RouterMetrics shows the fleet and the process', async () => {
  const mesh = new FakeMesh();
  mesh.reportedBackends = [
    {
      ...{ id: 'b1', kind: 'skein', address: 'unix:/x', state: 'stalled', reason: '', pid: 7 },
      ...{
        budgetBytes: 100,
        usedBytes: 60,
        evictionPrice: 2,
        loadsQueued: 1,
        evictions: 0,
        copies: 4,
        inFlight: 5,
        apart: false,
      },
    },
  ];
  const values = await scrape(new RouterMetrics(mesh, 10));
  assert.equal(values.get('skein_backend_state{backend="b1",state="stalled"}'), 1);
  assert.equal(values.get('skein_backend_state{backend="b1",state="up"}'), 0);
  assert.equal(values.get('skein_backend_memory_used_bytes{backend="b1"}'), 60);
  assert.equal(values.get('skein_models{state="known"}'), 2);
  assert.equal(values.get('skein_held_requests'), 2);
  assert.equal(values.get('skein_retries_total'), 4);
  assert.ok(values.get('process_resident_memory_bytes')! > 0);
  assert.ok(values.has('nodejs_eventloop_lag_p99_seconds'));
});

test('RouterMetrics counts models beyond the limit together, and loses none of their counts', async () => {
  const mesh = new FakeMesh();
  for (let i = 0; i < 1_000; i++) mesh.known.set(`m${i}`, [1]);
  const metrics = new RouterMetrics(mesh, 3);
  mesh.statisticsRows = Array.from({ length: 1_000 }, (_, i) => statisticsOf(`m${i}`, 1, { success: 1 }));
  for (let i = 0; i < 1_000; i++) metrics.front.inferred(`m${i}`, 0.1, undefined);
  const values = await scrape(metrics);
  const labelled = (name: string) => [...values].filter(([key]) => key.startsWith(`${name}{`));
  assert.equal(labelled('nv_inference_request_success').length, 4);
  assert.equal(labelled('skein_request_duration_seconds_count').length, 4);
  const sum = (rows: [string, number][]) => rows.reduce((total, [, value]) => total + value, 0);
  assert.equal(sum(labelled('nv_inference_request_success')), 1_000);
  assert.equal(sum(labelled('skein_request_duration_seconds_count')), 1_000);
  assert.equal(values.get(`nv_inference_request_success{model="${otherModels}",version=""}`), 997);
});

test('RouterMetrics forgets models that left the catalogue', async () => {
  const mesh = new FakeMesh();
  const metrics = new RouterMetrics(mesh, 2);
  metrics.front.inferred('multi_version', 1, undefined);
  mesh.statisticsRows = [statisticsOf('multi_version', 1, { success: 1 })];
  await scrape(metrics);
  mesh.known.delete('multi_version');
  mesh.statisticsRows = [];
  const values = await scrape(metrics);
  assert.ok(![...values.keys()].some((key) => key.includes('multi_version')));
});

test('mergeMetrics adds what each process has of its own and repeats what all of them see', async () => {
  const processes = [1, 2].map((success) => {
    const mesh = new FakeMesh();
    mesh.statisticsRows = [statisticsOf('simple', 1, { success })];
    const metrics = new RouterMetrics(mesh, 10);
    metrics.front.inferred('simple', 0.01, undefined);
    metrics.front.connections = 5;
    return metrics;
  });
  const values = await scrape(...processes);
  assert.equal(values.get('skein_http_connections'), 10);
  assert.equal(values.get('skein_request_duration_seconds_count{model="simple"}'), 2);
  assert.equal(values.get('skein_retries_total'), 8);
  assert.equal(
    values.get('nv_inference_request_success{model="simple",version="1"}'),
    2,
    'the newest of what both see',
  );
  assert.equal(values.get('skein_models{state="known"}'), 2);
});

test('mergeMetrics takes what another process sent as JSON', async () => {
  const metrics = new RouterMetrics(new FakeMesh(), 10);
  metrics.front.inferred('simple', 0.01, undefined);
  const sent = JSON.parse(JSON.stringify(await metrics.collectRouterMetrics()));
  const values = parse(await mergeMetrics([sent]));
  assert.equal(values.get('skein_request_duration_seconds_count{model="simple"}'), 1);
});
