/** Reports as a router with two backends gives them. */
import type {
  CopyReport,
  Explanation,
  FleetReport,
  ModelReport,
  PlanReport,
} from '../../../src/router/mesh/reports.ts';

const mib = 2 ** 20;

const copy: CopyReport = {
  backend: 'b1',
  version: 2,
  phase: 'ready',
  residentBytes: 14 * mib,
  inFlight: 3,
  latencyMs: 4.2,
  loadMs: 41,
};

export const readyModel: ModelReport = {
  name: 'resnet50',
  versions: [1, 2],
  state: 'ready',
  reason: '',
  copies: [copy, { ...copy, backend: 'b2', phase: 'loading', residentBytes: 0, inFlight: 0, latencyMs: 0, loadMs: 0 }],
  requestsPerSecond: 12.34,
};

export const failedModel: ModelReport = {
  name: 'broken',
  versions: [],
  state: 'failed',
  reason: 'no model file',
  copies: [],
  requestsPerSecond: 0,
};

export const fleet: FleetReport = {
  version: '0.1.0',
  uptimeMs: 7_500_000,
  models: { known: 300, loaded: 33, loading: 1, failed: 2 },
  held: 4,
  inFlight: 1,
  retries: 7,
  coldRequests: 0,
  loads: 41,
  loadFailures: 2,
  loadFailuresByCode: { load_failed: 2 },
  loadTroubles: [],
  convictions: 0,
  refused: 0,
  refusals: [],
  copiesAdded: 0,
  copiesTrimmed: 0,
  copiesMoved: 0,
  copiesRebalanced: 0,
  movesQueued: 0,
  duplicateLoads: 0,
  routers: [],
  backends: [
    {
      id: 'b1',
      kind: 'skein',
      address: 'unix:/tmp/b1.sock',
      state: 'up',
      reason: '',
      pid: 4711,
      budgetBytes: 256 * mib,
      usedBytes: 192.5 * mib,
      evictionPrice: 0.4,
      loadsQueued: 0,
      evictions: 0,
      cores: 2,
      copies: 18,
      inFlight: 1,
      apart: false,
    },
    {
      id: 'triton-a',
      kind: 'v2',
      address: 'http://127.0.0.1:9000',
      state: 'down',
      reason: 'connect ECONNREFUSED',
      pid: undefined,
      budgetBytes: 0,
      usedBytes: 0,
      evictionPrice: 0,
      loadsQueued: 0,
      evictions: 0,
      copies: 0,
      inFlight: 0,
      apart: false,
    },
  ],
};

export const explanation: Explanation = {
  model: 'resnet50',
  report: readyModel,
  candidates: [
    { backendId: 'b1', rank: 0, verdict: { kind: 'keep', copy: 'ready' } },
    { backendId: 'b2', rank: 1, verdict: { kind: 'refused', why: 'draining' } },
  ],
  scaling: {
    model: 'resnet50',
    wanted: 2,
    mode: 'panic',
    urgent: true,
    stableLoad: 3.8,
    panicLoad: 31,
    target: 11.2,
  },
  now: 'served by b1',
};

export const plan: PlanReport = {
  moves: [{ model: 'resnet50', version: 2, from: 'b2', to: 'b1', bytes: 98 * mib }],
  bytes: 98 * mib,
  estimatedMs: 1_300,
  homeless: ['huge'],
};
