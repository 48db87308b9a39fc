import { writeFileSync } from 'node:fs';
import { formatByteSize } from '../../config/byte-size.ts';
import { SkeinError } from '../../protocol/errors.ts';
import { adminClient, serverUrl } from '../admin-client.ts';
import { type BenchPlan, benchPlan } from '../bench/bench-plan.ts';
import { levelTables } from '../bench/level-tables.ts';
import { percentilePicture } from '../bench/percentile-picture.ts';
import { perfAnalyzerCsv } from '../bench/perf-analyzer-csv.ts';
import { type BenchOutcome, runBench } from '../bench/run-bench.ts';
import { terminalChart } from '../bench/terminal-chart.ts';
import type { CommandConsole } from '../command-console.ts';
import { wantsJson } from '../print-json.ts';
import { softwareVersion } from '../software-version.ts';
import { counted } from '../text-table.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const plan = benchPlan(call, console.cwd);
  const url = serverUrl('bench', call, console);
  const say = (text: string) => console.err(`bench: ${text}\n`);
  const outcome = await runBench(plan, url, adminClient('bench', call, console), say);
  const { levels } = outcome;
  if (plan.csvFile !== undefined) write(plan.csvFile, perfAnalyzerCsv(levels));
  if (plan.chartFile !== undefined) write(plan.chartFile, picture(plan, outcome));
  if (wantsJson(call)) console.out(`${JSON.stringify(jsonOf(plan, url, outcome))}\n`);
  else console.out(`${headline(plan, url, outcome)}\n\n${levelTables(levels)}\n${terminalChart(levels)}`);
  const failed = levels.reduce((sum, level) => sum + level.failed, 0);
  if (failed === 0) return;
  const first = levels.find(({ failure }) => failure !== null)?.failure;
  throw new SkeinError('server_refused', { reason: `${failed} requests failed, the first with ${first}` });
}

function headline({ body, zipf, requestFile }: BenchPlan, url: string, { target }: BenchOutcome): string {
  const [first] = target.models;
  const models = target.models.length === 1 ? first : `${target.models.length} models (Zipf ${zipf})`;
  const kind = requestFile === undefined ? `${body.kind} bodies` : 'bodies from a file';
  return `${models} at ${url}, ${kind} of ${formatByteSize(target.bodyBytes)}, ${counted(target.rows, 'inference')} a request`;
}

function jsonOf(plan: BenchPlan, url: string, { target, levels }: BenchOutcome) {
  const { kind, data, seed } = plan.body;
  return {
    version: softwareVersion,
    url,
    models: target.models,
    body: { kind: plan.requestFile === undefined ? kind : 'file', data, bytes: target.bodyBytes, rows: target.rows },
    arrivals: plan.levels[0]?.kind === 'rate' ? plan.arrivals : null,
    zipf: plan.zipf,
    seed,
    rules: plan.rules,
    levels,
  };
}

function picture(plan: BenchPlan, outcome: BenchOutcome): string {
  const curves = plan.levels.map((level, i) => {
    const name = level.kind === 'rate' ? `${level.perSecond} requests/s` : counted(level.connections, 'connection');
    return { name, latency: outcome.latencies[i]! };
  });
  return percentilePicture(`Latency of ${outcome.target.models.slice(0, 3).join(', ')} by percentile`, curves);
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (fault) {
    throw new SkeinError('usage', { reason: `cannot write ${file}: ${(fault as Error).message}` });
  }
}
