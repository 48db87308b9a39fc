import { SkeinError } from '../../protocol/errors.ts';
import { adminClient } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const [name = '', ...targets] = call.operands;
  const read = targets.map(readTarget);
  const client = adminClient('alias', call, console);
  const body = await client.post(`/fleet/routes/${encodeURIComponent(name)}`, { targets: read });
  if (wantsJson(call)) printBody(body, console);
  else console.out(`${name} leads to ${targets.join(', ')}\n`);
}

/** `MODEL[@VERSION|@LABEL][=WEIGHT]`. */
export function readTarget(text: string): { model: string; version?: number | string; weight?: number } {
  const found = /^([^@=]+)(?:@([^@=]+))?(?:=(\d+(?:\.\d+)?))?$/.exec(text);
  if (found === null) {
    throw new SkeinError('usage', {
      reason: `'${text}' is no target; expected MODEL, MODEL@VERSION or MODEL@LABEL, and =WEIGHT`,
    });
  }
  const [, model = '', version, weight] = found;
  return {
    model,
    ...(version !== undefined && { version: /^\d+$/.test(version) ? Number(version) : version }),
    ...(weight !== undefined && { weight: Number(weight) }),
  };
}
