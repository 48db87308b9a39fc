import { formatByteSize } from '../../config/byte-size.ts';
import { formatDuration } from '../../config/duration.ts';
import type { CopyReport, Explanation } from '../../router/mesh/reports.ts';
import { describeCandidate } from '../../router/placement/candidate.ts';
import { type CopyDecision, describeDecision } from '../../router/scaling/snapshot.ts';
import { adminClient, modelPath } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const path = `${modelPath(call.operands[0] ?? '')}/explain`;
  const { text, body } = await adminClient('explain', call, console).get<Explanation>(path);
  if (wantsJson(call)) printBody(text, console);
  else console.out(explanationText(body));
}

export function explanationText({ model, report, candidates, now, scaling }: Explanation): string {
  const versions = report.versions.length === 0 ? '' : `, version ${report.versions.join(', ')}`;
  const lines = [
    `${model} is ${report.state}${versions}${report.reason === '' ? '' : `: ${report.reason}`}`,
    `a request now: ${now}`,
    ...(scaling !== undefined && !isOrdinary(scaling) ? [`by its load it ${describeDecision(scaling)}`] : []),
    ...report.copies.map((copy) => `  ${copyText(copy)}`),
    'backends in the order in which it prefers them:',
    ...candidates.map((candidate) => `  ${describeCandidate(candidate)}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** One copy for a model that is asked for goes without saying. */
function isOrdinary({ wanted, mode }: CopyDecision): boolean {
  return wanted <= 1 && mode === 'stable';
}

function copyText({ backend, version, phase, residentBytes, inFlight, latencyMs, loadMs }: CopyReport): string {
  const facts = [
    formatByteSize(residentBytes),
    `loaded in ${formatDuration(loadMs)}`,
    `${inFlight} running`,
    ...(latencyMs > 0 ? [`${formatDuration(latencyMs)} a request`] : []),
  ];
  return `${backend} version ${version}: ${phase === 'ready' ? '' : `${phase}, `}${facts.join(', ')}`;
}
