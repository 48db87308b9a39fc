import { loadRouterSettings } from '../../config/load-fleet-settings.ts';
import { readMachineLimits } from '../../config/machine-limits.ts';
import { misspeltVariables } from '../../config/raw-setting.ts';
import type { CommandConsole } from '../command-console.ts';
import type { VerbCall } from '../verb.ts';

export async function run({ flags }: VerbCall, { err, env, cwd }: CommandConsole): Promise<void> {
  const settings = loadRouterSettings({ flags, env, cwd, machine: readMachineLimits() });
  for (const warning of misspeltVariables(env)) err(`skein: ${warning}\n`);
  const { runRouter } = await import('../fleet-router.ts');
  await runRouter(settings);
}
