import type { InstanceGroup } from './model-config.ts';

export interface CompletionSettings {
  /** Largest batch of a model that can batch and whose configuration does not say; 0 or 1: such models do not batch. */
  readonly defaultMaxBatchSize: number;
  /** Shown for a group on the CPU that has no count of its own. */
  readonly defaultInstanceCount: number;
  /** What KIND_AUTO means. */
  readonly hasGpu: boolean;
}

/** At least one group, each with a name, a kind and a count, as Triton shows them. */
export function completeInstanceGroups(
  groups: readonly InstanceGroup[],
  model: string,
  { defaultInstanceCount, hasGpu }: CompletionSettings,
): readonly InstanceGroup[] {
  const complete = (group: InstanceGroup, name: string): InstanceGroup => {
    const kind = group.kind === 'KIND_AUTO' ? (hasGpu ? 'KIND_GPU' : 'KIND_CPU') : group.kind;
    const count = group.count || (kind === 'KIND_CPU' ? defaultInstanceCount : 1);
    return Object.freeze({ ...group, name: group.name || name, kind, count });
  };
  if (groups.length > 0) return Object.freeze(groups.map((group, i) => complete(group, `${model}_${i}`)));
  const none: InstanceGroup = { name: '', kind: 'KIND_AUTO', count: 0, countWritten: false, gpus: [], tuning: {} };
  return Object.freeze([complete(none, model)]);
}

/** Runs at once as the user asked for them, over all groups; undefined where any group leaves it to the backend. */
export function writtenInstanceCount(groups: readonly InstanceGroup[]): number | undefined {
  if (groups.length === 0 || !groups.every((group) => group.countWritten)) return undefined;
  return groups.reduce((sum, group) => sum + group.count * Math.max(1, group.gpus.length), 0);
}
