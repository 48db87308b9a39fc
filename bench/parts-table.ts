import type { BenchPart } from './frame/bench-part.ts';
import { addedLatency } from './parts/added-latency.ts';
import { fleetRouter } from './parts/fleet-router.ts';
import { frontAlone } from './parts/front-alone.ts';
import { jsonImage } from './parts/json-image.ts';
import { knownModels } from './parts/known-models.ts';
import { loadGenerator } from './parts/load-generator.ts';
import { loadTimes } from './parts/load-times.ts';
import { loneRequest } from './parts/lone-request.ts';
import { modelThroughput } from './parts/model-throughput.ts';
import { placement } from './parts/placement.ts';
import { registration } from './parts/registration.ts';
import { replan } from './parts/replan.ts';
import { requestPath } from './parts/request-path.ts';
import { routerCpu } from './parts/router-cpu.ts';
import { routerWorkers } from './parts/router-workers.ts';
import { tensorflowThroughput } from './parts/tensorflow-throughput.ts';

/** Every part, in the order of the results. */
export const partsTable = {
  'router-cpu': routerCpu,
  'front-alone': frontAlone,
  'request-path': requestPath,
  'added-latency': addedLatency,
  'model-throughput': modelThroughput,
  'lone-request': loneRequest,
  'json-image': jsonImage,
  'known-models': knownModels,
  'router-workers': routerWorkers,
  'fleet-router': fleetRouter,
  'load-times': loadTimes,
  'load-generator': loadGenerator,
  'tensorflow-throughput': tensorflowThroughput,
  placement,
  replan,
  registration,
} as const satisfies Record<string, BenchPart>;

export type PartName = keyof typeof partsTable;

export const partNames = Object.keys(partsTable) as PartName[];
