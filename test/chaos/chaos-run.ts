import { setTimeout as sleep } from 'node:timers/promises';
import { load } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { seededRandom, zipf } from '../fixtures/random.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { ChaosClient } from './chaos-client.ts';
import { ChaosFleet } from './chaos-fleet.ts';
import { type ChaosRequest, chaosRequest, modelBytes } from './chaos-request.ts';
import type { Fault, World } from './fault.ts';
import { Ledger } from './ledger.ts';
import { type Episode, type EpisodeRow, failureLines, isFailure, rowOf } from './report.ts';
import type { PlannedFault } from './schedule.ts';
import { Steadiness } from './steadiness.ts';

export interface ChaosPlan {
  readonly seed: number;
  readonly perSecond: number;
  readonly faults: ReadonlyMap<string, Fault>;
  readonly schedule: readonly PlannedFault[];
}

export interface ChaosResult {
  readonly seed: number;
  readonly sent: number;
  /** Traffic was as quick as on a machine with cores to spare before the first fault; else its waits say less of the fleet. */
  readonly isSteady: boolean;
  /** Of 99 of 100 requests, in the last seconds before the first fault. */
  readonly usualMs: number;
  readonly verdicts: Readonly<Record<string, number>>;
  /** Tries that met a broken connection and went to another router. */
  readonly reconnected: number;
  readonly rows: readonly EpisodeRow[];
  /** Empty where the ledger balances and the fleet was whole after every fault. */
  readonly faults: readonly string[];
}

const modelCount = 300;
const deadlineMs = 10_000;
const patienceMs = 5_000;
/** After the last fault, for answers that are late. */
const calmMs = 5_000;
const leastSlowMs = 100;
/** Of the fleet, after a fault is over. */
const wholeWithinMs = 45_000;
const loadLanes = 8;
const warmMs = 4_000;

interface Cleanup {
  after(end: () => unknown): void;
}

export async function runChaos(
  t: Cleanup,
  directory: string,
  plan: ChaosPlan,
  say: (text: string) => void,
): Promise<ChaosResult> {
  const repository = `${directory}/models`;
  const models = writeManyModels(repository, modelCount, { kind: 'dense', sizeBytes: modelBytes });
  const fleet = await ChaosFleet.start(t, { directory, repository, models: modelCount });
  await loadAll(models, [...fleet.routers.values()]);
  const ledger = new Ledger(deadlineMs);
  const client = new ChaosClient(fleet.routers, ledger, { deadlineMs, patienceMs });
  t.after(() => client.close());
  const pick = zipf(modelCount, 1, seededRandom(plan.seed));
  const requestOf = (number: number) => chaosRequest(number, models[pick()]!);
  const warmed = await warmUp(client, requestOf);
  const startMs = performance.now();
  const timed = (text: string) => say(`${((performance.now() - startMs) / 1_000).toFixed(1).padStart(6)} s  ${text}`);
  timed(`${plan.perSecond} requests a second over ${modelCount} models, no fault until they are answered steadily`);
  const traffic = new OpenLoop<ChaosRequest>(client, plan.perSecond, (i) => requestOf(warmed + i));
  const { isSteady, usualMs } = await becomeSteady(ledger);
  const slowMs = Math.max(leastSlowMs, 5 * usualMs);
  timed(isSteady ? 'steady' : 'NOT STEADY: this machine has no core to spare, waits say more of it than of the fleet');
  timed(`99 of 100 took at most ${Math.round(usualMs)} ms; slow is what takes longer than ${Math.round(slowMs)} ms`);
  const episodes = await suffer(plan, { fleet, ledger, repository, say: timed });
  await traffic.stop();

  const entries = [...ledger.entries];
  const verdicts: Record<string, number> = {};
  for (const entry of entries) {
    const verdict = ledger.verdict(entry);
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  }
  const notes = episodes.filter(({ wholeMs }) => wholeMs === undefined).map(({ kind, note }) => `${kind}: ${note}`);
  return {
    seed: plan.seed,
    sent: entries.length,
    isSteady,
    usualMs,
    verdicts,
    reconnected: client.reconnected,
    rows: episodes.map((episode) => rowOf(episode, entries, ledger, { startMs, slowMs })),
    faults: [...failureLines(entries, ledger, startMs), ...notes],
  };
}

/**
 * New processes compile their code first. At a steady rate their clients would give them up meanwhile where cores are few;
 * these wait for each answer. Returns how many requests it sent: they stand in the ledger as all others do.
 */
async function warmUp(client: ChaosClient, requestOf: (number: number) => ChaosRequest): Promise<number> {
  const untilMs = performance.now() + warmMs;
  let sent = 0;
  const lane = async () => {
    while (performance.now() < untilMs) await client.send(requestOf(sent++), performance.now());
  };
  await Promise.all(Array.from({ length: loadLanes }, lane));
  return sent;
}

/** What is asked for the first time takes longer, too, and the machine may have something else to do. */
async function becomeSteady(ledger: Ledger): Promise<Steadiness> {
  const steadiness = new Steadiness(performance.now());
  while (!steadiness.isOver) {
    await sleep(250);
    steadiness.look(ledger.entries, performance.now());
  }
  return steadiness;
}

/** One fault after the other, each once the fleet has got over the one before. */
async function suffer({ faults, schedule }: ChaosPlan, world: World): Promise<Episode[]> {
  const episodes: Episode[] = [];
  for (const planned of schedule) {
    await sleep(planned.calmMs);
    episodes.push(await sufferOne(faults.get(planned.kind)!, planned, world));
    const last = episodes.at(-1)!;
    const failed = [...world.ledger.entries].filter(
      (entry) => entry.dueMs >= last.fromMs && entry.answers.length > 0 && isFailure(world.ledger.verdict(entry)),
    ).length;
    if (failed > 0) world.say(`${failed} requests FAILED`);
  }
  await sleep(Math.min(calmMs, deadlineMs));
  return episodes.map((episode, i) => ({ ...episode, untilMs: episodes[i + 1]?.fromMs ?? performance.now() }));
}

async function sufferOne(fault: Fault, planned: PlannedFault, world: World): Promise<Episode> {
  const { kind, target, variant, holdMs } = planned;
  const { say, fleet } = world;
  const fromMs = performance.now();
  let endedMs = fromMs;
  const episode = (wholeMs: number | undefined, note: string): Episode => ({
    ...{ kind, target, variant, fromMs, endedMs, wholeMs, note },
    untilMs: Number.POSITIVE_INFINITY,
  });
  say(`${kind} ${target}: ${variant}, for ${(holdMs / 1_000).toFixed(1)} s`);
  try {
    const end = await fault.begin(world, target, variant);
    if (end === undefined) {
      say(`${kind} cannot be done on this machine`);
      return episode(fromMs, 'left out: not possible on this machine');
    }
    // One that took longer to begin than it was to last has lasted long enough.
    await sleep(Math.max(0, holdMs - (performance.now() - fromMs)));
    await end();
    endedMs = performance.now();
    await fleet.untilWhole(wholeWithinMs);
    const wholeMs = performance.now();
    say(`${kind} ${target}: over, the fleet is whole ${((wholeMs - endedMs) / 1_000).toFixed(1)} s later`);
    return episode(wholeMs, '');
  } catch (problem) {
    say(`${kind} ${target}: ${String(problem)}`);
    return episode(undefined, String(problem));
  }
}

/** Each model once, through whichever router: the run begins warm. */
async function loadAll(models: readonly string[], routers: readonly string[]): Promise<void> {
  const left = models.values();
  const lane = async (i: number) => {
    for (const model of left) await load(routers[i % routers.length]!, model);
  };
  await Promise.all(Array.from({ length: loadLanes }, (_, i) => lane(i)));
}
