/** `skein serve`, with its arguments, whose backends run no model: they echo what they are sent. */
import { fileURLToPath } from 'node:url';
import { parseInvocation } from '../../src/cli/arguments.ts';
import { backendProgram } from '../../src/cli/backend-plan.ts';
import { serve } from '../../src/cli/serve.ts';
import { loadServeSettings } from '../../src/config/load-settings.ts';
import { readMachineLimits } from '../../src/config/machine-limits.ts';

const invocation = parseInvocation(process.argv.slice(2));
if (invocation.kind !== 'call') throw new Error('arguments of `skein serve` were expected');
const { flags } = invocation.call;
const { settings } = loadServeSettings({ flags, env: process.env, cwd: process.cwd(), machine: readMachineLimits() });
await serve(settings, [...backendProgram().slice(0, -1), fileURLToPath(new URL('./echo-backend.ts', import.meta.url))]);
