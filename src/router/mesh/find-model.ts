import { SkeinError } from '../../protocol/errors.ts';
import type { ModelFinding } from '../../protocol/link/messages.ts';
import type { FleetView } from './fleet-view.ts';
import { within } from './within.ts';

/** A look at a directory takes milliseconds; a disk that hangs must not hold the caller. */
const findMs = 5_000;

/** Asks one backend after the other what lies at a path of their model directories; the first that has it counts. */
export async function findModel(fleet: FleetView, path: string): Promise<ModelFinding> {
  let reason = 'none is connected';
  for (const { session, standing, record } of fleet.backends.values()) {
    if (session?.find === undefined || standing !== 'up' || record.apart === true) continue;
    const late = new SkeinError('deadline_passed', { ms: findMs, stage: `while '${record.id}' looked for it` });
    try {
      return await within(findMs, session.find(path), late);
    } catch (fault) {
      reason = SkeinError.from(fault).message;
    }
  }
  throw new SkeinError('model_not_found', { path, reason });
}
