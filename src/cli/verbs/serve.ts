import { loadServeSettings } from '../../config/load-settings.ts';
import { readMachineLimits } from '../../config/machine-limits.ts';
import type { CommandConsole } from '../command-console.ts';
import type { VerbCall } from '../verb.ts';

export async function run({ flags, operands }: VerbCall, { err, env, cwd }: CommandConsole): Promise<void> {
  const named = flags['models'];
  const models = [...(Array.isArray(named) ? named : []), ...operands];
  const given = models.length === 0 ? flags : { ...flags, models };
  const { settings, warnings } = loadServeSettings({ flags: given, env, cwd, machine: readMachineLimits() });
  for (const warning of warnings) err(`skein: ${warning}\n`);
  const { serve } = await import('../serve.ts');
  await serve(settings);
}
