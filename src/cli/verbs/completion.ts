import { SkeinError } from '../../protocol/errors.ts';
import type { CommandConsole } from '../command-console.ts';
import { bashCompletion } from '../completion/bash.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import type { VerbCall } from '../verb.ts';
import { shells } from '../verbs-table.ts';

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const satisfies Record<
  (typeof shells)[number],
  () => string
>;

export async function run({ operands: [name = ''] }: VerbCall, { out }: CommandConsole): Promise<void> {
  const shell = shells.find((known) => known === name);
  if (shell === undefined) throw new SkeinError('usage', { reason: `'${name}' is no shell of ${shells.join(', ')}` });
  out(scripts[shell]());
}
