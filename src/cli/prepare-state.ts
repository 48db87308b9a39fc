import { access, constants, mkdir } from 'node:fs/promises';
import { SkeinError } from '../protocol/errors.ts';

/** Makes the state directory where there is none; throws where nothing can be written to it. */
export async function prepareState(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
  } catch (fault) {
    throw new SkeinError('state_unusable', { path, reason: (fault as Error).message }, { cause: fault });
  }
}
