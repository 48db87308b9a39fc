/**
 * node scripts/profile/write-profiles.ts [SECONDS]
 *
 * Serves an identity model and an image model, loads them, and writes what router and backend spent their time on:
 * docs/explanation/profiles/*.svg as flame graphs, and budget.md beside them as microseconds of each stage.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { binaryRequest, imageShape, smallShape } from '../../bench/frame/binary-request.ts';
import { startSkeinServer } from '../../bench/frame/skein-server.ts';
import { oneTurn } from '../../bench/frame/turns.ts';
import { processTree } from '../../test/fixtures/process-tree.ts';
import { type CpuProfile, type Frame, framesBetween } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';
import { budget } from './stages.ts';

const target = join(import.meta.dirname, '../../docs/explanation/profiles');
const seconds = Number(process.argv[2] ?? 8);
const loads = [
  { name: 'small', title: 'small bodies, 32 connections', model: 'identity', shape: smallShape, connections: 32 },
  { name: 'image', title: 'bodies of 602 kB, 16 connections', model: 'glance', shape: imageShape, connections: 16 },
] as const;

type Load = (typeof loads)[number];

mkdirSync(target, { recursive: true });
const tables: string[] = [];
for (const load of loads) tables.push(await profile(load));
writeFileSync(
  join(target, 'budget.md'),
  `# Where the time of a request goes\n\nWritten by \`scripts/profile/write-profiles.ts\`. Microseconds of processor time for each request; profiling itself adds to all of them.\n\n${tables.join('\n')}`,
);

async function profile(load: Load): Promise<string> {
  const profiles = mkdtempSync(join(tmpdir(), 'skein-profile-'));
  process.env['NODE_OPTIONS'] = `--cpu-prof --cpu-prof-dir=${profiles} --cpu-prof-interval=400`;
  try {
    const skein = await startSkeinServer([load.model], ['--backends', '1']);
    const whole = skein.whole(load.model);
    const pids = { router: skein.process.pid, backend: backendOf(skein.process.pid) };
    const request = binaryRequest(load.model, load.shape);
    await oneTurn(whole, { request, connections: load.connections }, 2);
    const turn = await oneTurn(whole, { request, connections: load.connections }, seconds);
    const endedMs = Date.now();
    await sleep(50);
    await skein.stop();
    return writeAll(load, profiles, pids, { endedMs, requests: turn.perSecond * seconds });
  } finally {
    delete process.env['NODE_OPTIONS'];
    rmSync(profiles, { recursive: true, force: true });
  }
}

interface Window {
  readonly endedMs: number;
  readonly requests: number;
}

function writeAll(load: Load, profiles: string, pids: Readonly<Record<string, number>>, window: Window): string {
  const rows = Object.entries(pids).map(([process, pid]) => {
    const frames = readFrames(profiles, pid, window.endedMs);
    writeFileSync(join(target, `${process}-${load.name}.svg`), flameGraph(`${process}: ${load.title}`, frames));
    return { process, stages: new Map(budget(frames, window.requests)), totalUs: frames.totalUs / window.requests };
  });
  const names = [...new Set(rows.flatMap(({ stages }) => [...stages.keys()]))];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const figure = (us: number | undefined) => (us === undefined ? '' : us.toFixed(us < 100 ? 1 : 0));
  return [
    `## ${load.title}\n`,
    line(['stage', ...rows.map(({ process }) => process)]),
    line(['---', ...rows.map(() => '--:')]),
    ...names.map((name) => line([name, ...rows.map(({ stages }) => figure(stages.get(name)))])),
    line(['all', ...rows.map(({ totalUs }) => figure(totalUs))]),
    '',
  ].join('\n');
}

/** Of the last `seconds` before `endedMs`. A profile's name says when its process began, to the second: its own clock counts. */
function readFrames(profiles: string, pid: number, endedMs: number): Frame {
  const file = readdirSync(profiles).find((name) => name.split('.')[3] === String(pid) && name.split('.')[4] === '0');
  if (file === undefined) throw new Error(`process ${pid} left no profile`);
  const profile = JSON.parse(readFileSync(join(profiles, file), 'utf8')) as CpuProfile;
  const uptimeUs = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0);
  // It ended a moment after the load did, and drained meanwhile.
  const endUs = uptimeUs - (Date.now() - endedMs) * 1_000;
  const toUs = Math.max(seconds * 1_000_000, endUs);
  return framesBetween(profile, toUs - seconds * 1_000_000, toUs);
}

function backendOf(mainPid: number): number {
  return processTree(mainPid).find(({ commandLine }) => commandLine.includes('backend-process'))!.pid;
}
