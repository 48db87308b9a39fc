import { backendKeyText } from '../../protocol/link/link-proof.ts';
import type { CommandConsole } from '../command-console.ts';
import { readSecretFile } from '../link-guard.ts';
import type { VerbCall } from '../verb.ts';

/** A backend that holds only this can be nobody else. */
export async function run({ operands }: VerbCall, { out }: CommandConsole): Promise<void> {
  const [file = '', backend = ''] = operands;
  out(`${backendKeyText(readSecretFile('FILE', file), backend)}\n`);
}
