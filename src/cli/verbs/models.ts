import { formatByteSize } from '../../config/byte-size.ts';
import { formatDuration } from '../../config/duration.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { CopyReport, ModelReport } from '../../router/mesh/reports.ts';
import { adminClient } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import { counted, textTable } from '../text-table.ts';
import type { VerbCall } from '../verb.ts';
import { verbsTable } from '../verbs-table.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const query = stateQuery(call.flags['state']);
  const { text, body } = await adminClient('models', call, console).get<readonly ModelReport[]>(
    `/fleet/models${query}`,
  );
  if (wantsJson(call)) printBody(text, console);
  else console.out(modelsText(body));
}

function stateQuery(state: VerbCall['flags'][string]): string {
  if (state === undefined) return '';
  const { choices } = verbsTable.models.options.state;
  if (!choices.some((choice) => choice === state)) {
    throw new SkeinError('usage', { reason: `--state is '${state}'; expected one of ${choices.join(', ')}` });
  }
  return `?state=${state}`;
}

export function modelsText(models: readonly ModelReport[]): string {
  return models.length === 0
    ? 'no models\n'
    : `${textTable(headings, models.map(modelRow))}\n${counted(models.length, 'model')}\n`;
}

const headings = ['MODEL', 'STATE', 'VERSIONS', 'COPIES', 'MEMORY', 'REQUESTS/S', 'RUNNING', 'LATENCY', 'NOTE'];

function modelRow({ name, state, versions, copies, requestsPerSecond, reason }: ModelReport): string[] {
  const bytes = copies.reduce((sum, copy) => sum + copy.residentBytes, 0);
  const inFlight = copies.reduce((sum, copy) => sum + copy.inFlight, 0);
  const measured = copies.filter((copy) => copy.latencyMs > 0).map((copy) => copy.latencyMs);
  return [
    name,
    state,
    versions.join(' ') || '-',
    copies.map(copyText).join(', ') || '-',
    copies.length === 0 ? '-' : formatByteSize(bytes),
    requestsPerSecond < 0.05 ? '0' : requestsPerSecond.toFixed(1),
    `${inFlight}`,
    measured.length === 0 ? '-' : formatDuration(Math.max(...measured)),
    reason === state ? '' : reason,
  ];
}

function copyText({ backend, version, phase, fetchedPercent }: CopyReport): string {
  if (fetchedPercent !== undefined) return `${backend}:${version} (fetching, ${fetchedPercent} %)`;
  return `${backend}:${version}${phase === 'ready' ? '' : ` (${phase})`}`;
}
