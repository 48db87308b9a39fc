import { SkeinError } from '../../protocol/errors.ts';
import type { ModelStatistics } from '../../protocol/v2/statistics.ts';
import type { BackendView } from './backend-view.ts';
import { mergeStatistics } from './merge-statistics.ts';
import { within } from './within.ts';

const patienceMs = 1_000;

/** What backends have counted, of one model or of all, added up; what a backend that fell silent has counted is left out. */
export async function askStatistics(
  backends: Iterable<BackendView>,
  model: string | undefined,
): Promise<readonly ModelStatistics[]> {
  const able = [...backends].filter(({ standing, session }) => standing === 'up' && session?.can.statistics);
  const late = new SkeinError('deadline_passed', { ms: patienceMs, stage: 'before the statistics' });
  const asked = able.map(({ session }) => within(patienceMs, session!.statistics(model), late).catch(() => []));
  return mergeStatistics((await Promise.all(asked)).flat());
}
