import { adminClient, modelPath } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const name = call.operands[0] ?? '';
  const body = await adminClient('remove', call, console).post(`${modelPath(name)}/remove`);
  if (wantsJson(call)) printBody(body, console);
  else console.out(`${name} is not in the catalogue any more\n`);
}
