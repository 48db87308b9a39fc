import { SkeinError } from '../../protocol/errors.ts';
import type { BackendView } from './backend-view.ts';
import type { FleetView } from './fleet-view.ts';
import type { ModelEntry } from './model-entry.ts';

/** Why a model that only external servers have can be neither asked for nor loaded now; undefined where it can. */
export function externalTrouble(fleet: FleetView, entry: ModelEntry): SkeinError | undefined {
  if (entry.repository !== undefined || entry.external === undefined) return undefined;
  const views = [...entry.external].map((id) => fleet.backends.get(id));
  const up = views.filter((view) => view?.standing === 'up');
  if (up.some((view) => view?.session?.can.load)) return undefined;
  if (up.length > 0) return new SkeinError('model_unavailable', { model: entry.name });
  const detail = views.map((view) => `'${view?.record.id}' does not answer (${view?.reason ?? 'removed'})`).join(', ');
  return new SkeinError('no_backend', { model: entry.name, detail, retryAfterSeconds: 1 });
}

/** A server of the organisation's own that has the model and can be told to load it. */
export function externalLoader(
  fleet: FleetView,
  entry: ModelEntry,
  excluded: ReadonlySet<string>,
): BackendView | undefined {
  for (const id of entry.external ?? []) {
    const view = fleet.backends.get(id);
    if (view?.session?.can.load && view.standing === 'up' && !excluded.has(id)) return view;
  }
  return undefined;
}
