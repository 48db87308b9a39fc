/**
 * npm run bench [PART …] [-- --rounds N --seconds S --print-only]: measures the parts (all of them where none is named), prints their
 * figures and writes bench/RESULTS.md and bench/results.svg. Decides no test. Ends with 1 where a part could not be
 * measured; a missed bar is a result like any other.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchOptions } from './frame/bench-options.ts';
import { type Bench, verdictOf } from './frame/bench-part.ts';
import { spreadText } from './frame/figure-text.ts';
import { machineFacts } from './frame/machine-facts.ts';
import { resultsPage } from './frame/results-page.ts';
import { resultsPicture } from './frame/results-picture.ts';
import { type PartRecord, ResultsStore } from './frame/results-store.ts';
import { type PartName, partNames, partsTable } from './parts-table.ts';

const measured = machineFacts();
const store = new ResultsStore(join(import.meta.dirname, 'results'));
const say = (text: string) => process.stderr.write(`bench: ${text}\n`);

try {
  const { parts, rounds, seconds, printOnly, help } = benchOptions(process.argv.slice(2), partNames);
  if (help) process.stdout.write(usage());
  else for (const name of parts as PartName[]) await measure(name, { rounds, seconds, say }, !printOnly);
} catch (fault) {
  say((fault as Error).message);
  process.exitCode = 2;
}

async function measure(name: PartName, bench: Bench, isWritten: boolean): Promise<void> {
  say(`${name}: ${partsTable[name].title}`);
  const startMs = performance.now();
  try {
    const result = await partsTable[name].run(bench);
    const tookSeconds = (performance.now() - startMs) / 1_000;
    const { rounds, seconds } = bench;
    const record = { measured, rounds, seconds, tookSeconds, ...result };
    if (isWritten) store.write(name, record);
    process.stdout.write(summary(name, record));
  } catch (fault) {
    if (isWritten) store.remove(name);
    say(`${name} could not be measured: ${(fault as Error).stack}`);
    process.exitCode = 1;
  }
  if (isWritten) writeResults();
}

/** After every part, so that an interrupted run leaves what it has. */
function writeResults(): void {
  const parts = partNames.map((name) => ({ name, part: partsTable[name], record: store.read(name) }));
  writeFileSync(join(import.meta.dirname, 'RESULTS.md'), resultsPage(parts));
  writeFileSync(join(import.meta.dirname, 'results.svg'), resultsPicture(parts));
}

function summary(name: string, { bars, tables, notes }: PartRecord): string {
  const lines = [
    `\n${name}`,
    ...tables.flatMap(({ title, columns, rows }) => [
      `  ${title} (${columns.join(', ')})`,
      ...rows.map(
        (row) =>
          `    ${row.name}: ${row.cells.map((cell) => (typeof cell === 'string' ? cell : spreadText(cell))).join(', ')}`,
      ),
    ]),
    ...bars.map((bar) => {
      const figure = 'missing' in bar.figure ? bar.figure.missing : spreadText(bar.figure);
      return `  ${verdictOf(bar)}: ${bar.what}: ${figure}, bar ${bar.sense} ${bar.limit} ${bar.unit}`.trimEnd();
    }),
    ...notes.map((note) => `  ${note}`),
  ];
  return `${lines.join('\n')}\n`;
}

function usage(): string {
  const parts = partNames.map((name) => `  ${name.padEnd(18)}${partsTable[name].title}`);
  return `usage: npm run bench [PART …] [-- --rounds N] [--seconds S] [--print-only]\n\n${parts.join('\n')}\n`;
}
