import type { VersionStatus } from '../../protocol/v1/model-status.ts';
import type { ModelEntry } from './model-entry.ts';

/**
 * How the versions of a model stand, newest first. A version is AVAILABLE where a request for it would be tried, loaded
 * or not: who waits for it before sending must not wait for a load that only a request begins.
 */
export function versionStates(entry: ModelEntry): VersionStatus[] {
  const { activity } = entry;
  const copies = [...(activity?.copies ?? [])];
  const going = copies.filter(({ facts }) => facts.phase === 'draining' || facts.phase === 'unloading');
  const known = new Set([...entry.versions, ...copies.map(({ facts }) => facts.version)]);
  return [...known]
    .sort((a, b) => b - a)
    .flatMap((version): VersionStatus[] => {
      const isReady = copies.some((copy) => copy.facts.version === version && copy.isReady);
      if (isReady && !entry.isUnloaded) return [{ version, state: 'AVAILABLE' }];
      if (!entry.serves(version) || entry.isUnloaded) {
        return going.some(({ facts }) => facts.version === version) ? [{ version, state: 'UNLOADING' }] : [];
      }
      const failure = activity?.failures.last(version, entry.stampOf(version));
      if (failure !== undefined) return [{ version, state: 'END', fault: failure.message }];
      return [{ version, state: 'AVAILABLE' }];
    });
}
