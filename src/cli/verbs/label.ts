import { SkeinError } from '../../protocol/errors.ts';
import { adminClient, modelPath } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const [model = '', label = '', version] = call.operands;
  if (version !== undefined && !/^\d+$/.test(version)) {
    throw new SkeinError('usage', {
      reason: `'${version}' is no version; expected a whole number, or nothing to take the label away`,
    });
  }
  const wish = { label, version: version === undefined ? null : Number(version) };
  const body = await adminClient('label', call, console).post(`${modelPath(model)}/label`, wish);
  if (wantsJson(call)) printBody(body, console);
  else
    console.out(
      version === undefined ? `${label} of ${model} is gone\n` : `${label} of ${model} is version ${version}\n`,
    );
}
