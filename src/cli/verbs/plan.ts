import { formatByteSize } from '../../config/byte-size.ts';
import { formatDuration } from '../../config/duration.ts';
import type { PlanReport } from '../../router/mesh/reports.ts';
import { adminClient } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import { counted, textTable } from '../text-table.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const drained = call.flags['drain'];
  const query = drained === undefined ? '' : `?drain=${encodeURIComponent(String(drained))}`;
  const { text, body } = await adminClient('plan', call, console).get<PlanReport>(`/fleet/plan${query}`);
  if (wantsJson(call)) printBody(text, console);
  else console.out(planText(body));
}

export function planText({ moves, bytes, estimatedMs, homeless }: PlanReport): string {
  const parts: string[] = [];
  if (moves.length > 0) {
    const rows = moves.map(({ model, version, from, to, bytes: size }) => [
      model,
      `${version}`,
      from,
      to,
      formatByteSize(size),
    ]);
    parts.push(textTable(['MODEL', 'VERSION', 'FROM', 'TO', 'SIZE'], rows), '\n');
  }
  parts.push(`${counted(moves.length, 'move')}, ${formatByteSize(bytes)}, about ${formatDuration(estimatedMs)}\n`);
  if (homeless.length > 0) {
    parts.push(`no place would be left for ${counted(homeless.length, 'model')}: ${homeless.join(', ')}\n`);
  }
  return parts.join('');
}
