import type { CopyFacts } from '../../protocol/link/messages.ts';
import type { ModelSighting } from './model-sighting.ts';

/** Weight of the newest answer in the smoothed time: about the last ten count. */
const smoothing = 0.2;

/** One model version of the server: what was seen of it, and what this router measures because no server tells. */
interface Entry {
  readonly id: number;
  sighting: ModelSighting;
  inFlight: number;
  latencyUs: number;
  loadMs: number;
}

interface LedgerChanges {
  readonly changed: readonly CopyFacts[];
  readonly gone: readonly number[];
}

/** The copies of an external server under numbers that stay theirs as long as the session, however often they go. */
export class CopyLedger {
  readonly #backend: string;
  readonly #slots: number;
  readonly #ids = new Map<string, number>();
  readonly #entries = new Map<number, Entry>();

  /** `slots`: requests that may be under way at this server at once. */
  constructor(backend: string, slots: number) {
    this.#backend = backend;
    this.#slots = slots;
  }

  /** Takes over what was seen, and says what is new. */
  apply(sightings: readonly ModelSighting[]): LedgerChanges {
    const changed: CopyFacts[] = [];
    const gone = new Set(this.#entries.keys());
    for (const sighting of sightings) {
      const id = this.#idOf(sighting);
      const entry = this.#entries.get(id);
      gone.delete(id);
      if (entry === undefined) this.#entries.set(id, { id, sighting, inFlight: 0, latencyUs: 0, loadMs: 0 });
      else if (isSame(entry.sighting, sighting)) continue;
      else entry.sighting = sighting;
      changed.push(this.#facts(this.#entries.get(id)!));
    }
    for (const id of gone) this.#entries.delete(id);
    return { changed, gone: [...gone] };
  }

  sighting(id: number): ModelSighting | undefined {
    return this.#entries.get(id)?.sighting;
  }

  /** Copies of a model, newest version first. */
  ofModel(model: string): CopyFacts[] {
    return [...this.#entries.values()]
      .filter(({ sighting }) => sighting.model === model)
      .sort((a, b) => b.sighting.version - a.sighting.version)
      .map((entry) => this.#facts(entry));
  }

  noteLoad(id: number, loadMs: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.loadMs = loadMs;
  }

  noteStart(id: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.inFlight += 1;
  }

  /** A copy that went and came back meanwhile has forgotten what was under way in it. */
  noteEnd(id: number): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.inFlight = Math.max(0, entry.inFlight - 1);
  }

  /** The server began to answer after so long. Returns the copy's load as it is now. */
  noteAnswer(id: number, elapsedMs: number): { inFlight: number; latencyUs: number } {
    const entry = this.#entries.get(id);
    if (entry === undefined) return { inFlight: 0, latencyUs: Math.round(elapsedMs * 1000) };
    const isFirst = entry.latencyUs === 0;
    entry.latencyUs = Math.round(
      isFirst ? elapsedMs * 1000 : entry.latencyUs + smoothing * (elapsedMs * 1000 - entry.latencyUs),
    );
    return { inFlight: entry.inFlight, latencyUs: entry.latencyUs };
  }

  #idOf({ model, version }: ModelSighting): number {
    const key = `${version} ${model}`;
    const known = this.#ids.get(key) ?? this.#ids.size + 1;
    this.#ids.set(key, known);
    return known;
  }

  /** Memory is the server's own business: 0, as nothing is known of it. */
  #facts({ id, sighting, inFlight, latencyUs, loadMs }: Entry): CopyFacts {
    const { model, version, phase, reason } = sighting;
    const failure = {
      code: 'load_failed',
      facts: { model, version, reason: `${reason} (backend '${this.#backend}')` },
    } as const;
    return {
      id,
      model,
      version,
      stamp: '',
      phase,
      residentBytes: 0,
      peakBytes: 0,
      loadMs,
      slots: this.#slots,
      inFlight,
      latencyUs,
      ...(phase === 'failed' && { reason: failure }),
    };
  }
}

function isSame(a: ModelSighting, b: ModelSighting): boolean {
  return a.phase === b.phase && a.reason === b.reason && a.versionName === b.versionName;
}
