import type { PlannedModel } from '../placement/plan.ts';
import type { FleetView } from './fleet-view.ts';
import type { ModelEntry } from './model-entry.ts';
import { questionOf } from './placement-question.ts';

/** What plans are made of: every version of every model that a backend of Skein's own holds or loads, as it is now. */
export function plannedModels(fleet: FleetView, nowMs: number): PlannedModel[] {
  const held = new Map<ModelEntry, Set<number>>();
  for (const { record, copies } of fleet.backends.values()) {
    if (record.kind !== 'skein' || record.apart === true) continue;
    for (const { entry, facts } of copies.values()) {
      const versions = held.get(entry);
      if (versions === undefined) held.set(entry, new Set([facts.version]));
      else versions.add(facts.version);
    }
  }
  const planned: PlannedModel[] = [];
  const { meanCopyBytes } = fleet;
  for (const [entry, versions] of held) {
    for (const version of versions) {
      const { model, copies } = questionOf(entry, version, new Set(), meanCopyBytes, nowMs);
      if (copies.length > 0) planned.push({ ...model, copies, loadMs: entry.activity!.loadMs });
    }
  }
  return planned;
}
