import { join } from 'node:path';
import { describe } from 'node:test';
import { RunPlanner } from '../../../src/backends/batching/run-planner.ts';
import { layoutsOf } from '../../../src/backends/batching/run-setting.ts';
import { replayTranscripts } from './replay-transcripts.ts';
import { VirtualCopy } from './virtual-copy.ts';

/**
 * What a planner does over time on a virtual clock:
 *
 *   > machine cores=2 max=8 2.1.1=40 1.2.1=40.6    milliseconds of a run by THREADS.SLOTS.ROWS; others: 1.5 times the work
 *   > serve rows=16 ms=1000                        a closed loop of so many requests of one row
 *   > session threads=1                            a further session is there
 *   > wanted, unused, choices
 */
const folder = join(import.meta.dirname, 'planner-transcripts');

class Replayer {
  #planner = new RunPlanner({ layouts: [{ threads: 1, slots: 1 }], maxRows: 1, rowsAreGiven: false });
  #copy = new VirtualCopy(this.#planner, 1, () => 1);

  play(line: string): string {
    const [verb, ...words] = line.split(' ');
    const settings = new Map(words.map((word) => word.split('=') as [string, string]));
    const number = (name: string) => Number(settings.get(name));
    if (verb === 'machine') return this.#machine(number('cores'), number('max'), settings);
    if (verb === 'serve') return this.#serve(number('rows'), number('ms'));
    if (verb === 'session') this.#planner.setSession(number('threads'), true);
    if (verb === 'wanted') return String(this.#planner.wantedThreads() ?? 'none');
    if (verb === 'unused') return String(this.#planner.unusedThreads() ?? 'none');
    if (verb !== 'choices') return 'ok';
    return this.#planner
      .report()
      .choices.map((one) => `up to ${one.upToWaiting}: ${one.threads}.${one.slots}.${one.rows} (${one.why})`)
      .join('\n');
  }

  #machine(cores: number, maxRows: number, costs: ReadonlyMap<string, string>): string {
    const layouts = layoutsOf({ cores, threads: Math.min(4, cores), threadsAreGiven: false, givenSlots: undefined });
    this.#planner = new RunPlanner({ layouts, maxRows, rowsAreGiven: false });
    const single = Number(costs.get(`${layouts[0]!.threads}.1.1`));
    this.#copy = new VirtualCopy(this.#planner, cores, ({ threads, slots, rows }) =>
      Number(costs.get(`${threads}.${slots}.${rows}`) ?? 1.5 * single * slots * rows),
    );
    return layouts.map(({ threads, slots }) => `${threads}.${slots}`).join(' ');
  }

  /** Rows served, and for each setting how many runs of it began. */
  #serve(rows: number, ms: number): string {
    const before = this.#copy.runs.length;
    const rate = this.#copy.serve(rows, ms);
    const counts = new Map<string, number>();
    for (const { setting } of this.#copy.runs.slice(before)) {
      const key = `${setting.threads}.${setting.slots}.${setting.rows}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return `${rate.toFixed(0)} rows/s: ${[...counts].map(([key, count]) => `${key} x ${count}`).join(', ')}`;
  }
}

describe('RunPlanner transcripts', () => {
  replayTranscripts(folder, () => new Replayer());
});
