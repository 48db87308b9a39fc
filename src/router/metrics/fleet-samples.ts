import type { SourceState } from '../../protocol/link/messages.ts';
import type { BackendReport, BackendStanding, FleetReport, ModelReport } from '../mesh/reports.ts';
import { counter, gauge, type Metric, type Sample, single } from './metric.ts';
import type { ModelLabels } from './model-labels.ts';

const standings: readonly BackendStanding[] = ['up', 'stalled', 'draining', 'down'];

/** What the mesh reports of itself and its backends. */
export function fleetSamples(report: FleetReport): Metric[] {
  const { known, loaded, loading, failed } = report.models;
  const states = Object.entries({ known, loaded, loading, failed });
  return [
    gauge(
      'skein_models',
      'Models by state',
      states.map(([state, value]) => ({ labels: { state }, value })),
      'first',
    ),
    gauge('skein_held_requests', 'Requests that wait for a model to load', single(report.held)),
    gauge('skein_requests_in_flight', 'Requests at backends', single(report.inFlight)),
    counter('skein_retries_total', 'Tries beyond the first', single(report.retries)),
    counter(
      'skein_cold_requests_total',
      'Requests that found no ready copy of their model',
      single(report.coldRequests),
    ),
    counter('skein_loads_total', 'Loads that this router asked for', single(report.loads)),
    counter(
      'skein_load_failures_total',
      'Loads that failed, by the code of the error; those that went on elsewhere among them',
      Object.entries(report.loadFailuresByCode).map(([code, value]) => ({ labels: { code }, value })),
    ),
    counter('skein_convictions_total', 'Requests and loads convicted of ending a process', single(report.convictions)),
    gauge(
      'skein_convictions_in_force',
      "Bodies and models' files that are refused because they ended processes, whichever router convicted them",
      single(report.refused),
    ),
    counter('skein_copies_added_total', 'Copies beyond the first, loaded for the load', single(report.copiesAdded)),
    counter('skein_copies_trimmed_total', 'Copies given up because there were too many', single(report.copiesTrimmed)),
    counter(
      'skein_duplicate_loads_total',
      'Loads that ended with a copy beside another one that nobody wanted',
      single(report.duplicateLoads),
    ),
    counter('skein_copies_moved_total', 'Copies loaded elsewhere for backends that drain', single(report.copiesMoved)),
    counter(
      'skein_copies_rebalanced_total',
      'Copies moved to backends that held much less than the others',
      single(report.copiesRebalanced),
    ),
    gauge('skein_moves_queued', 'Of these moves, those planned and not begun', single(report.movesQueued)),
    ...registrySamples(report),
    ...backendSamples(report.backends),
    ...sourceSamples(report.backends),
  ];
}

const registryStates = ['starting', 'connected', 'away', 'emptied'] as const;

/** Nothing where there is no registry. */
function registrySamples({ registry, routers, turnedAway = [] }: FleetReport): Metric[] {
  if (registry === undefined) return [];
  return [
    gauge(
      'skein_registry_state',
      'Whether the registry is in this state: 1 or 0',
      registryStates.map((state) => ({ labels: { state }, value: state === registry.kind ? 1 : 0 })),
      'first',
    ),
    gauge('skein_routers', 'Routers of the fleet, this one included', single(routers.length), 'first'),
    gauge(
      'skein_members_turned_away',
      'Processes that were not let in within the last minute, because another one has their name',
      single(turnedAway.length),
      'first',
    ),
  ];
}

function backendSamples(backends: readonly BackendReport[]): Metric[] {
  const by = (value: (backend: BackendReport) => number): Sample[] =>
    backends.map((backend) => ({ labels: { backend: backend.id }, value: value(backend) }));
  const of = (name: string, help: string, value: (backend: BackendReport) => number) =>
    gauge(`skein_backend_${name}`, help, by(value), 'first');
  return [
    gauge(
      'skein_backend_state',
      'Whether a backend is in this state: 1 or 0',
      backends.flatMap(({ id, state: now }) =>
        standings.map((state) => ({ labels: { backend: id, state }, value: state === now ? 1 : 0 })),
      ),
      'first',
    ),
    of('memory_budget_bytes', 'Memory that the backend may use for models', (one) => one.budgetBytes),
    of('memory_used_bytes', 'Memory that its copies use', (one) => one.usedBytes),
    of(
      'eviction_price',
      'Worth of the cheapest copies it would give up; 0 while it has room',
      (one) => one.evictionPrice,
    ),
    of('copies', 'Copies that it holds or loads', (one) => one.copies),
    gauge(
      'skein_backend_cores',
      'Cores that its runs may hold, of those that the processes of its host share',
      backends.flatMap(({ id, cores }) => (cores === undefined ? [] : [{ labels: { backend: id }, value: cores }])),
      'first',
    ),
    of('evictions', 'Copies that it gave up for others since its process began', (one) => one.evictions),
    of('loads_queued', 'Loads that wait in it', (one) => one.loadsQueued),
    gauge(
      'skein_backend_in_flight',
      'Requests that this router has at it',
      by((one) => one.inFlight),
    ),
  ];
}

/** Of backends that fetch models. */
function sourceSamples(backends: readonly BackendReport[]): Metric[] {
  const of = (name: string, help: string, value: (state: SourceState) => number): Metric => {
    const samples = backends.flatMap(({ id, sources }) =>
      sources === undefined ? [] : [{ labels: { backend: id }, value: value(sources) }],
    );
    return gauge(`skein_source_${name}`, help, samples, 'first');
  };
  return [
    of('cache_bytes', 'Disk that fetched files take', (one) => one.cacheBytes),
    of('cache_limit_bytes', 'Disk that fetched files may take', (one) => one.cacheLimitBytes),
    of('cache_files', 'Fetched files that are kept, whole or in part', (one) => one.cacheFiles),
    of('cache_hits', 'Files that were there already when a model wanted them', (one) => one.hits),
    of('fetches', 'Files that were fetched and verified', (one) => one.fetched),
    of('fetched_bytes', 'Bytes of these files', (one) => one.fetchedBytes),
    of('peer_fetches', 'Of these, files that another backend had', (one) => one.fromPeers),
    of('peer_offered_bytes', 'Bytes of its files that it handed to other backends', (one) => one.offeredBytes ?? 0),
    of('resumed', 'Of these, files of which a part was there from before', (one) => one.resumed),
    of('evictions', 'Fetched files that went to make room', (one) => one.evicted),
    of('failures', 'Files that could not be had', (one) => one.failed),
    of('digest_mismatches', 'Of these, files that are not what the catalogue says', (one) => one.mismatched),
    of('fetches_under_way', 'Files that are being fetched, or wait for it', (one) => one.underWay),
  ];
}

/** Per model, under Triton's names; models beyond the labelled ones are summed. */
export function modelSamples(models: readonly ModelReport[], labels: ModelLabels): Metric[] {
  const pending = new Map<string, Sample>();
  const loadSeconds = new Map<string, Sample>();
  for (const { name, copies } of models) {
    if (copies.length === 0) continue;
    const model = labels.labelOf(name);
    for (const { version, inFlight, loadMs } of copies) {
      const key = `${model}\n${version}`;
      const sample = { model, version: String(version) };
      pending.set(key, { labels: sample, value: (pending.get(key)?.value ?? 0) + inFlight });
      const longest = Math.max(loadSeconds.get(key)?.value ?? 0, loadMs / 1_000);
      if (model === name) loadSeconds.set(key, { labels: sample, value: longest });
    }
  }
  return [
    gauge('nv_inference_pending_request_count', 'Inference requests in the copies of a model, queued or running', [
      ...pending.values(),
    ]),
    gauge(
      'nv_model_load_duration_secs',
      'Model load time in seconds, of the slowest copy',
      [...loadSeconds.values()],
      'max',
    ),
  ];
}
