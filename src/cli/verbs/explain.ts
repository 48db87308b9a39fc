import { formatByteSize } from '../../config/byte-size.ts';
import { formatDuration } from '../../config/duration.ts';
import type { RunShape } from '../../protocol/link/runs-report.ts';
import type { CopyReport, CopyRunsReport, Explanation } from '../../router/mesh/reports.ts';
import { describeCandidate } from '../../router/placement/candidate.ts';
import { type CopyDecision, describeDecision } from '../../router/scaling/snapshot.ts';
import { adminClient, modelPath } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import { counted } from '../text-table.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const path = `${modelPath(call.operands[0] ?? '')}/explain`;
  const { text, body } = await adminClient('explain', call, console).get<Explanation>(path);
  if (wantsJson(call)) printBody(text, console);
  else console.out(explanationText(body));
}

export function explanationText({
  model,
  report,
  candidates,
  now,
  scaling,
  bodiesRefused = 0,
  runs = [],
}: Explanation): string {
  const versions = report.versions.length === 0 ? '' : `, version ${report.versions.join(', ')}`;
  const lines = [
    `${model} is ${report.state}${versions}${report.reason === '' ? '' : `: ${report.reason}`}`,
    `a request now: ${now}`,
    ...(bodiesRefused > 0
      ? [`${counted(bodiesRefused, 'body', 'bodies')} of requests for it refused: they ended processes`]
      : []),
    ...(scaling !== undefined && !isOrdinary(scaling) ? [`by its load it ${describeDecision(scaling)}`] : []),
    ...report.copies.map((copy) => `  ${copyText(copy)}`),
    ...runs.flatMap(runsText),
    'backends in the order in which it prefers them:',
    ...candidates.map((candidate) => `  ${describeCandidate(candidate)}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** What the copy does at each number of waiting rows, and what it rests that on: the best of what was measured first. */
function runsText({ backend, version, choices, learned, drift, onEventLoop }: CopyRunsReport): string[] {
  if (choices.length === 0) return [];
  const measured = [...learned].sort((a, b) => b.rowsPerSecond - a.rowsPerSecond).slice(0, mostShown);
  const slower =
    Math.abs(drift - 1) < 0.1 ? '' : `; everything takes ${formatNumber(drift)} times as long at the moment`;
  return [
    `how ${backend} runs version ${version}:`,
    ...(onEventLoop === undefined ? [] : [`  ${onEventLoopText(onEventLoop)}`]),
    ...choices.map((choice) => `  up to ${choice.upToWaiting} waiting: ${shapeText(choice)} (${choice.why})`),
    ...(measured.length === 0 ? [] : [`  measured on a quiet machine, best first${slower}:`]),
    ...measured.map((one) => {
      const rate = `${formatNumber(one.rowsPerSecond)} rows/s`;
      return `    ${shapeText(one)}: ${rate}, ${formatNumber(one.ms)} ms a run, ${one.runs} seen`;
    }),
  ];
}

const mostShown = 8;

function onEventLoopText({ rows, ms }: NonNullable<CopyRunsReport['onEventLoop']>): string {
  const most = rows === 1 ? 'one row' : `up to ${rows} rows`;
  return `on the event loop: runs of ${most}, ${formatNumber(ms)} ms at most; others go to threads:`;
}

function shapeText({ slots, threads, rows }: RunShape): string {
  const of = `of ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const runs = slots === 1 ? `one run ${of}` : `${slots} runs at once ${of}`;
  return `${runs}, ${rows === 1 ? 'one row' : `up to ${rows} rows`}`;
}

function formatNumber(value: number): string {
  return String(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

/** One copy for a model that is asked for goes without saying. */
function isOrdinary({ wanted, mode }: CopyDecision): boolean {
  return wanted <= 1 && mode === 'stable';
}

function copyText({ backend, version, phase, residentBytes, inFlight, latencyMs, loadMs }: CopyReport): string {
  const facts = [
    formatByteSize(residentBytes),
    ...(loadMs > 0 ? [`loads in ${formatDuration(loadMs)}`] : []),
    `${inFlight} running`,
    ...(latencyMs > 0 ? [`${formatDuration(latencyMs)} a request`] : []),
  ];
  return `${backend} version ${version}: ${phase === 'ready' ? '' : `${phase}, `}${facts.join(', ')}`;
}
