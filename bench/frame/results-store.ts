import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PartResult } from './bench-part.ts';
import type { MachineFacts } from './machine-facts.ts';

/** A part as it was measured last. */
export interface PartRecord extends PartResult {
  readonly measured: MachineFacts;
  readonly rounds: number;
  readonly seconds: number;
  readonly tookSeconds: number;
}

/** One file for each part, so that a part can be measured again alone and the page still shows all. */
export class ResultsStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  write(name: string, record: PartRecord): void {
    mkdirSync(this.#directory, { recursive: true });
    writeFileSync(this.#file(name), `${JSON.stringify(record, roundedFigure, 2)}\n`);
  }

  /** Undefined where it was never measured. */
  read(name: string): PartRecord | undefined {
    try {
      return JSON.parse(readFileSync(this.#file(name), 'utf8')) as PartRecord;
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw fault;
    }
  }

  /** A part that could not be measured has no figures: older ones would pass for those of this run. */
  remove(name: string): void {
    rmSync(this.#file(name), { force: true });
  }

  #file(name: string): string {
    return join(this.#directory, `${name}.json`);
  }
}

/** Four digits are more than any spread leaves. */
function roundedFigure(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
