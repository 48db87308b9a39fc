import { SkeinError } from '../../protocol/errors.ts';
import type { TensorSpec } from '../../protocol/tensors/tensor.ts';
import type { ModelMetadata, TensorMetadata } from '../../protocol/v2/model-metadata.ts';
import type { StatisticsBody } from '../../protocol/v2/statistics.ts';
import type { Mesh, ModelDescription } from '../mesh/mesh-port.ts';
import { type ApiAnswer, type ApiCall, type ApiRoute, empty, json } from './api.ts';
import { readModelName } from './model-name.ts';
import { readVersion } from './model-version.ts';

interface NamedModel {
  readonly model: string;
  readonly version: number | undefined;
}

/** Of one model, each with and without a version: what it is, whether it serves, and what it has done. */
export function modelRoutes(mesh: Mesh): ApiRoute[] {
  const actions: Record<string, (named: NamedModel) => ApiAnswer | Promise<ApiAnswer>> = {
    '': async ({ model, version }) => json(metadataOf(model, await mesh.describe(model, version))),
    '/config': async ({ model, version }) => json((await mesh.describe(model, version)).config),
    '/ready': ({ model, version }) => readiness(mesh.isModelReady(model, version)),
    '/stats': async (named) => json(await statisticsOf(mesh, named)),
  };
  const [plain, versioned] = ['/v2/models/:model', '/v2/models/:model/versions/:version(^\\d+$)'];
  return [
    { method: 'GET', path: '/v2/models/stats', handle: async () => json(await allStatistics(mesh)) },
    ...Object.entries(actions).flatMap(([action, act]): ApiRoute[] =>
      [plain, versioned].map((path) => ({
        method: 'GET',
        path: path + action,
        handle: (call) => act(namedIn(call)),
      })),
    ),
    // Inference itself never comes here; its path must be known, so that other methods are told which one it takes.
    ...[plain, versioned].map((path): ApiRoute => ({ method: 'POST', path: `${path}/infer`, handle: unknownPath })),
  ];
}

function unknownPath(): never {
  throw new SkeinError('path_unknown');
}

function namedIn({ path }: ApiCall): NamedModel {
  const model = readModelName(path['model']!);
  const version = path['version'];
  return { model, version: version === undefined ? undefined : readVersion(version, model) };
}

function metadataOf(name: string, { versions, platform, signature }: ModelDescription): ModelMetadata {
  return {
    name,
    versions: versions.map(String),
    platform,
    inputs: signature.inputs.map(tensorOf),
    outputs: signature.outputs.map(tensorOf),
  };
}

function tensorOf({ name, datatype, shape }: TensorSpec): TensorMetadata {
  return { name, datatype, shape };
}

function readiness(isReady: boolean): ApiAnswer {
  if (!isReady) throw new SkeinError('model_not_ready');
  return empty;
}

async function allStatistics(mesh: Mesh): Promise<StatisticsBody> {
  return { model_stats: await mesh.statistics(undefined, undefined) };
}

/** What cannot be found is a 400 here and has texts of its own, as in Triton. */
async function statisticsOf(mesh: Mesh, { model, version }: NamedModel): Promise<StatisticsBody> {
  try {
    return { model_stats: await mesh.statistics(model, version) };
  } catch (fault) {
    const error = SkeinError.from(fault);
    if (error.code === 'version_unknown') throw new SkeinError('statistics_version', { model });
    if (error.kind === 'not_found') throw new SkeinError('statistics_model', { model });
    throw error;
  }
}
