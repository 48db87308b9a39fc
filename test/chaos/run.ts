/** `npm run chaos`: faults from a seed under traffic, and a ledger that has to balance. Exit status 1 where it does not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runChaos } from './chaos-run.ts';
import { faultTable } from './fault-table.ts';
import { episodeTable } from './report.ts';
import { scheduleOf } from './schedule.ts';

const kinds = faultTable.map(({ kind }) => kind);
const usage = `npm run chaos -- [--seed N] [--minutes M] [--rate R] [--only KIND,KIND…] [--json]
  --seed     of the schedule and the traffic; drawn and printed where it is left out
  --minutes  of faults, 5 by default; beyond the minute or so until the fleet is there
  --rate     requests a second, 150 by default
  --only     kinds of faults: ${kinds.join(', ')}
  --json     the result as JSON on stdout`;

function readArguments() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: `${Math.floor(Math.random() * 1e6)}` },
      minutes: { type: 'string', default: '5' },
      rate: { type: 'string', default: '150' },
      only: { type: 'string', default: kinds.join(',') },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const [seed, minutes, rate] = [Number(values.seed), Number(values.minutes), Number(values.rate)];
  const chosen = values.only.split(',');
  const stranger = chosen.find((kind) => !kinds.includes(kind));
  if (!Number.isInteger(seed) || seed < 0) throw new RangeError(`--seed is ${values.seed}; expected a whole number`);
  if (!(minutes > 0 && minutes <= 600)) throw new RangeError(`--minutes is ${values.minutes}; expected 0 to 600`);
  if (!(rate > 0 && rate <= 5_000)) throw new RangeError(`--rate is ${values.rate}; expected 1 to 5000`);
  if (stranger !== undefined) throw new RangeError(`--only names '${stranger}', which is no kind of fault`);
  return { seed, minutes, rate, json: values.json, faults: faultTable.filter(({ kind }) => chosen.includes(kind)) };
}

/** Of everything that was started and mounted. */
const ends: (() => unknown)[] = [];

async function main(): Promise<number> {
  let given: ReturnType<typeof readArguments>;
  try {
    given = readArguments();
  } catch (fault) {
    process.stderr.write(`chaos: ${(fault as Error).message}\n${usage}\n`);
    return 2;
  }
  if (given === undefined) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const { seed, minutes, rate, faults, json } = given;
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const directory = mkdtempSync(join(tmpdir(), 'skein-chaos-'));
  try {
    const schedule = scheduleOf(faults, seed, minutes);
    say(`chaos: seed ${seed}, ${schedule.length} faults in about ${minutes} minutes`);
    const byKind = new Map(faults.map((fault) => [fault.kind, fault]));
    const t = { after: (end: () => unknown) => void ends.push(end) };
    const result = await runChaos(t, directory, { seed, perSecond: rate, faults: byKind, schedule }, say);
    const isBalanced = result.faults.length === 0;
    say(`\n${episodeTable(result.rows)}`);
    const counts = Object.entries(result.verdicts).map(([verdict, count]) => `${count} ${verdict}`);
    say(`${result.sent} sent: ${counts.join(', ')}; ${result.reconnected} tries went to another router`);
    for (const line of result.faults) say(`  ${line}`);
    say(isBalanced ? 'the ledger balances' : `THE LEDGER DOES NOT BALANCE; again with --seed ${seed}`);
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    return isBalanced ? 0 : 1;
  } finally {
    for (const end of ends.toReversed()) await end();
    rmSync(directory, { recursive: true, force: true });
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    for (const end of ends.toReversed()) void end();
    process.exit(130);
  });
}
process.exit(await main());
