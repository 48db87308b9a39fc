import { SkeinError } from '../../protocol/errors.ts';
import { adminClient } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import type { VerbCall } from '../verb.ts';

const decisions: readonly string[] = ['restore', 'accept'];

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const decision = call.operands[0] ?? '';
  if (!decisions.includes(decision))
    throw new SkeinError('usage', { reason: `'${decision}' is no decision: expected ${decisions.join(' or ')}` });
  const body = await adminClient('registry', call, console).post('/fleet/registry', { decision });
  if (wantsJson(call)) printBody(body, console);
  else if (decision === 'restore') console.out('what this router knows is in the registry again\n');
  else console.out('the fleet goes by the registry as it is\n');
}
