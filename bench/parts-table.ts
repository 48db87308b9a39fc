import type { BenchPart } from './frame/bench-part.ts';
import { addedLatency } from './parts/added-latency.ts';
import { frontAlone } from './parts/front-alone.ts';
import { modelThroughput } from './parts/model-throughput.ts';
import { placement } from './parts/placement.ts';
import { requestPath } from './parts/request-path.ts';
import { routerCpu } from './parts/router-cpu.ts';

/** Every part, in the order of the results. */
export const partsTable = {
  'router-cpu': routerCpu,
  'front-alone': frontAlone,
  'request-path': requestPath,
  'added-latency': addedLatency,
  'model-throughput': modelThroughput,
  placement,
} as const satisfies Record<string, BenchPart>;

export type PartName = keyof typeof partsTable;

export const partNames = Object.keys(partsTable) as PartName[];
