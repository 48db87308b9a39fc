/** `npm run bench [seconds]`: every bench in one run; prints the tables and writes bench/RESULTS.md. Decides no test. */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { benchModels } from './model-throughput.ts';
import { benchPlacement } from './placement.ts';
import { benchRequestPath } from './request-path.ts';

const seconds = Number(process.argv[2] ?? 4);
const progress = (text: string) => process.stderr.write(`bench: ${text}\n`);

function table(rows: readonly object[]): string {
  const names = Object.keys(rows[0]!);
  const cell = (value: unknown) => (typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const body = rows.map((row) => line(Object.values(row).map(cell)));
  return [line(names), line(names.map(() => '---')), ...body].join('\n');
}

progress('placement against consistent-hash');
const placement = table(benchPlacement());
progress('the request path, about two minutes');
const path = table(await benchRequestPath(seconds));
progress('real networks against the raw engine, about two minutes');
const models = table(await benchModels(seconds));
const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
const text = `# Results

${new Date().toISOString().slice(0, 10)}, ${machine}. Servers and load generator share the cores: compare rows, not machines. Written by
\`npm run bench\`.

## Request path

CPU is that of the servers in the row, per request.

${path}

## Real networks

${models}

## Placement, 10,000 models on 10 backends

${placement}
`;
writeFileSync(new URL('RESULTS.md', import.meta.url), text);
process.stdout.write(text);
