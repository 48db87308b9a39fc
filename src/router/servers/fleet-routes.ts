import { SkeinError } from '../../protocol/errors.ts';
import { excerpt } from '../../protocol/v2/excerpt.ts';
import type { Mesh } from '../mesh/mesh-port.ts';
import type { Explanation, ModelReport, ModelStanding } from '../mesh/reports.ts';
import { type ApiAnswer, type ApiCall, type ApiRoute, json } from './api.ts';
import { readModelName } from './model-name.ts';

const standings: readonly ModelStanding[] = ['ready', 'loading', 'idle', 'failed', 'unloaded'];

/** The admin API, which `skein ps`, `models`, `explain` and `plan` print. It reads and changes nothing. */
export function fleetRoutes(mesh: Mesh): ApiRoute[] {
  return [
    { method: 'GET', path: '/fleet', handle: () => json(mesh.report()) },
    { method: 'GET', path: '/fleet/models', handle: (call) => json(modelsIn(mesh, call)) },
    { method: 'GET', path: '/fleet/models/:model', handle: (call) => json(mesh.explain(modelIn(call)).report) },
    { method: 'GET', path: '/fleet/models/:model/explain', handle: (call) => explainIn(mesh, call) },
    { method: 'GET', path: '/fleet/plan', handle: (call) => json(mesh.plan(queryText(call, 'drain'))) },
  ];
}

async function explainIn(mesh: Mesh, call: ApiCall): Promise<ApiAnswer> {
  const model = modelIn(call);
  return json({ ...mesh.explain(model), runs: await mesh.runs(model) } satisfies Explanation);
}

function modelIn({ path }: ApiCall): string {
  return readModelName(path['model']!);
}

function modelsIn(mesh: Mesh, call: ApiCall): readonly ModelReport[] {
  const state = queryText(call, 'state');
  if (state === undefined) return mesh.models();
  if (!(standings as readonly string[]).includes(state)) {
    throw new SkeinError('query_unknown', { parameter: 'state', value: excerpt(state), known: standings.join(', ') });
  }
  return mesh.models().filter((model) => model.state === state);
}

/** Of a parameter that is given twice the last counts. */
function queryText({ query }: ApiCall, name: string): string | undefined {
  const value = query[name];
  return typeof value === 'string' || value === undefined ? value : value.at(-1);
}
