import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../config/duration.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { BackendReport, FleetReport, PlanReport } from '../../router/mesh/reports.ts';
import { type AdminClient, adminClient } from '../admin-client.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import { counted } from '../text-table.ts';
import type { VerbCall } from '../verb.ts';
import { planText } from './plan.ts';

const pollMs = 250;
const tellEveryMs = 2_000;

/** Says what will move, orders it, and follows it until the backend is empty. */
export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const backend = call.operands[0] ?? '';
  const client = adminClient('drain', call, console);
  const path = `/fleet/backends/${encodeURIComponent(backend)}/drain`;
  if (call.flags['undo'] === true) {
    const body = await client.post(path, { wanted: false });
    if (wantsJson(call)) printBody(body, console);
    else console.out(`${backend} takes models again\n`);
    return;
  }
  const plan = await client.get<PlanReport>(`/fleet/plan?drain=${encodeURIComponent(backend)}`);
  if (!wantsJson(call)) console.out(planText(plan.body));
  if (call.flags['plan'] === true) {
    if (wantsJson(call)) printBody(plan.text, console);
    return;
  }
  await client.post(path, { wanted: true });
  const startedMs = performance.now();
  const left = await untilEmpty(client, backend, plan.body, console);
  const took = formatDuration(Math.round(performance.now() - startedMs));
  if (wantsJson(call)) printBody(JSON.stringify({ backend, planned: plan.body, left, took }), console);
  else if (left === 0)
    console.out(
      `${backend} is empty after ${took} and can be stopped; \`skein drain --undo ${backend}\` takes it back\n`,
    );
  if (left > 0) {
    const reason = `${counted(left, 'copy', 'copies')} found no other place and go with '${backend}': their next requests load them anew`;
    throw new SkeinError('server_refused', { reason });
  }
}

/** Copies that stay: those that the plan found no place for. Progress goes to stderr. */
async function untilEmpty(
  client: AdminClient,
  backend: string,
  { homeless }: PlanReport,
  { err, isInteractive }: CommandConsole,
): Promise<number> {
  const all = (await backendOf(client, backend))?.copies ?? 0;
  let tellAtMs = 0;
  let lastMs = performance.now();
  for (let before = all; ; ) {
    const left = (await backendOf(client, backend))?.copies ?? 0;
    if (left < before) lastMs = performance.now();
    before = left;
    const isStuck = homeless.length > 0 && left <= homeless.length && performance.now() - lastMs > 2 * tellEveryMs;
    if (isInteractive && left > 0) err(`\r${all - left} of ${all} copies have left `);
    else if (performance.now() >= tellAtMs && left > 0) {
      err(`${all - left} of ${all} copies have left\n`);
      tellAtMs = performance.now() + tellEveryMs;
    }
    if (left === 0 || isStuck) {
      if (isInteractive) err('\r\u001b[K');
      return left;
    }
    await sleep(pollMs);
  }
}

async function backendOf(client: AdminClient, id: string): Promise<BackendReport | undefined> {
  const { body } = await client.get<FleetReport>('/fleet');
  return body.backends.find((backend) => backend.id === id);
}
