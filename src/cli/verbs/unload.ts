import { adminClient } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import { showProgress } from '../progress.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const model = call.operands[0] ?? '';
  const client = adminClient('unload', call, console);
  const stop = showProgress(`unloading ${model}`, console);
  let body: string;
  try {
    body = await client.post(`/v2/repository/models/${encodeURIComponent(model)}/unload`);
  } finally {
    stop();
  }
  if (wantsJson(call)) printBody(body, console);
  else console.out(`${model} is unloaded; \`skein load ${model}\` takes it back into service\n`);
}
