import type { RepositoryModel } from './repository-model.ts';

/**
 * A model that cannot be read now, as half a configuration or an empty table of descriptors leaves it: `model` says why.
 * That says nothing against the versions that were there before, which go on serving where they are loaded.
 */
export function unreadableModel(before: RepositoryModel | undefined, model: RepositoryModel): RepositoryModel {
  if (before === undefined || before.versions.length === 0) return model;
  return { ...before, ...(model.problem !== undefined && { problem: model.problem }) };
}
