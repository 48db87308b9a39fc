import { SkeinError } from '../../protocol/errors.ts';
import type { RepositoryIndex } from '../../protocol/v2/repository-index.ts';
import type { IndexRow, Mesh } from '../mesh/mesh-port.ts';
import { type ApiAnswer, type ApiCall, type ApiRoute, empty, json } from './api.ts';
import { readIndexFilter } from './index-filter.ts';
import { admitLoad, refuseRemoteOverride } from './load-origin.ts';
import { readLoadOverride } from './load-override.ts';
import { readModelName } from './model-name.ts';
import type { ServerOptions } from './server-options.ts';

/** Triton's model repository extension. */
export function repositoryRoutes(mesh: Mesh, options: ServerOptions): ApiRoute[] {
  const index = (call: ApiCall) => json(indexOf(mesh.index(), readIndexFilter(call.body)));
  return [
    { method: 'POST', path: '/v2/repository/index', handle: index },
    { method: 'POST', path: '/v2/repository/:repository/index', handle: index },
    {
      method: 'POST',
      path: '/v2/repository/models/:model/load',
      admit: (request) => admitLoad(request, options),
      handle: (call) => load(mesh, options, call),
      bodyLimitBytes: options.maxBodyBytes,
    },
    { method: 'POST', path: '/v2/repository/models/:model/unload', handle: (call) => unload(mesh, call) },
    ...['load', 'unload'].map(
      (action): ApiRoute => ({
        method: 'POST',
        path: `/v2/repository/:repository/models/:model/${action}`,
        handle: () => {
          throw new SkeinError('repository_named');
        },
      }),
    ),
  ];
}

/** A model that was never loaded has its name alone; a state that needs no reason has none. */
function indexOf(rows: readonly IndexRow[], isReadyOnly: boolean): RepositoryIndex {
  const wanted = isReadyOnly ? rows.filter(({ state }) => state === 'READY') : rows;
  return wanted.map(({ name, version, state, reason }) => {
    if (version === undefined && state === 'UNKNOWN') return { name };
    return {
      name,
      ...(version === undefined ? {} : { version: String(version) }),
      state,
      ...(reason === '' ? {} : { reason }),
    };
  });
}

async function load(mesh: Mesh, options: ServerOptions, call: ApiCall): Promise<ApiAnswer> {
  const model = readModelName(call.path['model']!);
  const override = readLoadOverride(call.body, model);
  if (override !== undefined) refuseRemoteOverride(call.request, options);
  await mesh.load(model, override);
  return empty;
}

/** `unload_dependents` and whatever else the body says change nothing: there are no ensembles to unload with a model. */
async function unload(mesh: Mesh, { path }: ApiCall): Promise<ApiAnswer> {
  await mesh.unload(readModelName(path['model']!));
  return empty;
}
