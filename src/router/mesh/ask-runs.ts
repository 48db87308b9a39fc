import { SkeinError } from '../../protocol/errors.ts';
import type { CopyView } from './copy-view.ts';
import type { CopyRunsReport } from './reports.ts';
import { within } from './within.ts';

/** A backend that is silent is left out of what people are shown. */
const patienceMs = 1_000;

/** What the backends of these copies learned of their runs; those that do not tell are left out. */
export async function askRuns(copies: readonly CopyView[]): Promise<readonly CopyRunsReport[]> {
  const late = new SkeinError('deadline_passed', { ms: patienceMs, stage: 'before the runs were told' });
  const asked = copies.map(async ({ session, facts, backend }) => {
    const report = await (session.runs === undefined
      ? undefined
      : within(patienceMs, session.runs(facts), late).catch(() => undefined));
    return report === undefined ? [] : [{ backend: backend.record.id, version: facts.version, ...report }];
  });
  return (await Promise.all(asked)).flat();
}
