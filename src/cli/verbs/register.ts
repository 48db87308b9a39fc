import { SkeinError } from '../../protocol/errors.ts';
import { adminClient, modelPath } from '../admin-client.ts';
import { listOf, parseLabels } from '../comma-list.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const model = call.operands[0] ?? '';
  const body = await adminClient('register', call, console).post(modelPath(model), wishOf(call));
  if (wantsJson(call)) printBody(body, console);
  else console.out(`${model} is in the catalogue\n`);
}

function wishOf({ flags }: VerbCall): Record<string, unknown> {
  const text = (name: string) => (flags[name] === undefined ? undefined : String(flags[name]));
  const requires = text('requires');
  const labels = requires === undefined ? undefined : parseLabels(requires);
  if (requires !== undefined && labels === undefined) {
    throw new SkeinError('usage', { reason: `--requires is '${requires}'; expected NAME=VALUE, parted by commas` });
  }
  const tolerates = text('tolerates');
  return {
    path: text('path'),
    requires: labels,
    tolerates: tolerates === undefined ? undefined : listOf(tolerates),
    pinned: flags['pin'] === true ? true : undefined,
    minCopies: copies('min-copies', text('min-copies')),
    maxCopies: copies('max-copies', text('max-copies')),
  };
}

function copies(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new SkeinError('usage', { reason: `--${flag} is '${text}'; expected a whole number` });
}
