import type { RepositoryChanges, RepositoryModel, RepositorySnapshot } from './repository-model.ts';

type Models = Pick<RepositorySnapshot, 'models'>;

export function diffRepository(before: Models, after: Models): RepositoryChanges {
  const added: RepositoryModel[] = [];
  const changed: RepositoryModel[] = [];
  for (const model of after.models.values()) {
    const earlier = before.models.get(model.name);
    if (earlier === undefined) added.push(model);
    else if (!isSame(earlier, model)) changed.push(model);
  }
  const removed = [...before.models.keys()].filter((name) => !after.models.has(name));
  return { added, removed, changed };
}

export function isUnchanged({ added, removed, changed }: RepositoryChanges): boolean {
  return added.length + removed.length + changed.length === 0;
}

/**
 * Of two looks a moment apart, what may be believed: a model that looked the same both times is taken, one that is still
 * being written stays as it was reported last, so that nobody loads half a file.
 */
export function settled(reported: Models, first: Models, second: Models): Map<string, RepositoryModel> {
  const models = new Map(second.models);
  for (const name of new Set([...first.models.keys(), ...second.models.keys()])) {
    const [a, b] = [first.models.get(name), second.models.get(name)];
    if (a !== undefined && b !== undefined && isSame(a, b)) continue;
    const last = reported.models.get(name);
    if (last === undefined) models.delete(name);
    else models.set(name, last);
  }
  return models;
}

function isSame(a: RepositoryModel, b: RepositoryModel): boolean {
  return a === b || (a.stamp === b.stamp && a.problem === b.problem && a.path === b.path);
}
