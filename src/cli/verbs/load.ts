import { formatByteSize } from '../../config/byte-size.ts';
import { formatDuration } from '../../config/duration.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { Explanation } from '../../router/mesh/reports.ts';
import { type AdminClient, adminClient, modelPath } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import { showProgress } from '../progress.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const model = call.operands[0] ?? '';
  const client = adminClient('load', call, console);
  const before = await explanation(client, model);
  const startedMs = performance.now();
  const stop = showProgress(`loading ${model}${placeOf(before)}`, console);
  let body: string;
  try {
    body = await client.post(`/v2/repository/models/${encodeURIComponent(model)}/load`);
  } finally {
    stop();
  }
  if (wantsJson(call)) return printBody(body, console);
  console.out(`${loadedText(model, await explanation(client, model), performance.now() - startedMs)}\n`);
}

/** What is known of it beforehand; the load itself tells why where it is nothing. */
async function explanation(client: AdminClient, model: string): Promise<Explanation | undefined> {
  try {
    return (await client.get<Explanation>(`${modelPath(model)}/explain`)).body;
  } catch (fault) {
    if (fault instanceof SkeinError && fault.code === 'server_refused') return undefined;
    throw fault;
  }
}

/** What would happen to a request now. That it would be refused says nothing of the load. */
function placeOf(before: Explanation | undefined): string {
  return before === undefined || before.now.startsWith('refused: ') ? '' : ` (${before.now})`;
}

export function loadedText(model: string, after: Explanation | undefined, tookMs: number): string {
  const places = (after?.report.copies ?? [])
    .filter((copy) => copy.phase === 'ready')
    .map(({ backend, version, residentBytes }) => `${backend} (version ${version}, ${formatByteSize(residentBytes)})`);
  return `${model} is ready${places.length === 0 ? '' : ` on ${places.join(' and ')}`} after ${formatDuration(tookMs)}`;
}
