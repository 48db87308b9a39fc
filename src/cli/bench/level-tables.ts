import { counted, textTable } from '../text-table.ts';
import type { LevelReport } from './level-report.ts';

/** What people read: rates and latencies first, then where the time goes. */
export function levelTables(levels: readonly LevelReport[]): string {
  const own = levels.map((level) => level.generatorCpuUsPerRequest.toFixed(0)).join(', ');
  return [
    latencyTable(levels),
    'Where a request spends its time, in microseconds on average:\n',
    partsTable(levels),
    `The generator itself took ${own} us of CPU a request.\n`,
  ].join('\n');
}

function latencyTable(levels: readonly LevelReport[]): string {
  const headings = ['INFER/S', 'AVG ms', 'P50', 'P90', 'P95', 'P99', 'P99.9', 'MAX', 'CPU us/REQ', 'NOTE'];
  const rows = levels.map((level) => {
    const { mean, p50, p90, p95, p99, p999, max } = level.latencyUs;
    return [
      loadText(level),
      rateText(level.inferencesPerSecond),
      ...[mean, p50, p90, p95, p99, p999, max].map(msText),
      level.cpuUsPerRequest === null ? '-' : level.cpuUsPerRequest.toFixed(0),
      noteOf(level),
    ];
  });
  return textTable([loadHeading(levels), ...headings], rows);
}

function partsTable(levels: readonly LevelReport[]): string {
  const headings = ['DELAY', 'SEND', 'NETWORK+SERVER', 'QUEUE', 'INPUT', 'INFER', 'OUTPUT', 'RECV', 'BATCH'];
  const rows = levels.map((level) => {
    const { delay, clientSend, networkAndServer, clientReceive } = level.partsUs;
    const { server } = level;
    const inside = server && [server.queueUs, server.computeInputUs, server.computeInferUs, server.computeOutputUs];
    return [
      loadText(level),
      ...[delay, clientSend, networkAndServer].map((us) => us.toFixed(0)),
      ...(inside?.map((us) => us.toFixed(0)) ?? ['-', '-', '-', '-']),
      clientReceive.toFixed(0),
      server === null ? '-' : server.meanBatch.toFixed(1),
    ];
  });
  return textTable([loadHeading(levels), ...headings], rows);
}

function loadHeading(levels: readonly LevelReport[]): string {
  return levels[0]?.load === 'rate' ? 'RATE/S' : 'CONCURRENCY';
}

export function loadText({ value }: LevelReport): string {
  return value.toLocaleString('en-US');
}

/** `0.42`, `4.7`, `83.4`, `1,204`. */
export function rateText(perSecond: number): string {
  if (perSecond >= 1_000) return Math.round(perSecond).toLocaleString('en-US');
  return perSecond.toFixed(perSecond >= 10 ? 1 : 2);
}

/** Milliseconds of microseconds, to about three digits. */
export function msText(us: number): string {
  const ms = us / 1_000;
  return ms.toFixed(ms >= 100 ? 0 : ms >= 10 ? 1 : ms >= 1 ? 2 : 3);
}

function noteOf({ stable, windows, failed, failure, backlog }: LevelReport): string {
  const notes = [];
  if (failed > 0) notes.push(`failed ${failed}, first with ${failure?.slice(0, 120)}`);
  if (backlog > 0) notes.push(`overloaded, ${counted(backlog, 'request')} due and not sent`);
  if (!stable) notes.push(`not stable after ${windows} windows`);
  return notes.join('; ');
}
