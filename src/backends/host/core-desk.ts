import { divideCores } from '../batching/divide-cores.ts';

/** What a backend process tells of its cores, a few times a second while that changes. */
export interface CoreReport {
  readonly wantedCores: number;
}

/** What its supervisor tells a backend process. */
export interface CoreOrder {
  readonly cores: number;
}

interface Member {
  wantedCores: number;
  cores: number;
  readonly tell: (order: CoreOrder) => void;
}

/** Keeps the cores of this host divided among its processes. */
export class CoreDesk {
  readonly #cores: number;
  readonly #members = new Map<string, Member>();

  constructor(cores: number) {
    this.#cores = cores;
  }

  /** A process starts, which takes all cores to be its own until it is told. */
  join(id: string, tell: Member['tell']): void {
    this.#members.set(id, { wantedCores: 0, cores: this.#cores, tell });
    this.#divide();
  }

  leave(id: string): void {
    if (this.#members.delete(id)) this.#divide();
  }

  report(id: string, { wantedCores }: CoreReport): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    member.wantedCores = wantedCores;
    this.#divide();
  }

  #divide(): void {
    const wishes = Array.from(this.#members, ([id, { wantedCores }]) => ({ id, wantedCores }));
    const shares = divideCores(this.#cores, wishes);
    for (const [id, member] of this.#members) {
      const cores = shares.get(id)!;
      if (cores === member.cores) continue;
      member.cores = cores;
      member.tell({ cores });
    }
  }
}
