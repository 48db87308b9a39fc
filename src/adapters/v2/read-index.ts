import type { CopyPhase } from '../../protocol/link/messages.ts';
import { type ModelSighting, missing, type Survey, versionNumber } from './model-sighting.ts';

/** One row of POST /v2/repository/index as servers write it: Triton leaves members out, others write null. */
interface IndexRow {
  readonly name: string;
  readonly version?: string | null;
  readonly state?: string | null;
  readonly reason?: string | null;
}

/** The rows of a repository index, or undefined where this is none. */
export function indexRows(body: unknown): readonly IndexRow[] | undefined {
  if (!Array.isArray(body)) return undefined;
  const isRow = (row: unknown) =>
    typeof row === 'object' && row !== null && 'name' in row && typeof row.name === 'string';
  return body.every(isRow) ? (body as IndexRow[]) : undefined;
}

/**
 * What an index shows of the declared models; of all that it lists where none are declared. A model that is there but
 * not loaded is an offer where the server loads, and otherwise a copy that has failed, with the reason.
 */
export function surveyOfIndex(rows: readonly IndexRow[], declared: readonly string[], canLoad: boolean): Survey {
  const wanted = declared.length === 0 ? undefined : new Set(declared);
  const sightings = new Map<string, ModelSighting>();
  const unloaded = new Map<string, IndexRow>();
  for (const row of rows) {
    if (wanted !== undefined && !wanted.has(row.name)) continue;
    const phase = phaseOf(row);
    if (phase === undefined) unloaded.set(row.name, row);
    else see(sightings, row, phase, row.reason ?? '');
  }
  for (const { model } of sightings.values()) unloaded.delete(model);
  const offers = canLoad ? [...unloaded.keys()] : [];
  if (!canLoad) for (const row of unloaded.values()) see(sightings, row, 'failed', 'the server has not loaded it');
  const seen = new Set([...offers, ...Array.from(sightings.values(), ({ model }) => model)]);
  for (const name of declared) {
    if (!seen.has(name)) sightings.set(name, missing(name, 'the server does not list it'));
  }
  return { sightings: [...sightings.values()], offers };
}

/** Undefined: known and not loaded. */
function phaseOf({ state, reason }: IndexRow): CopyPhase | undefined {
  switch (state) {
    case 'READY':
      return 'ready';
    case 'LOADING':
      return 'loading';
    case 'UNLOADING':
      return 'unloading';
    case 'UNAVAILABLE':
      // Triton gives `unloaded` to what was, and the text of the fault to what failed.
      return reason === undefined || reason === null || reason === '' || reason === 'unloaded' ? undefined : 'failed';
    default:
      return undefined;
  }
}

/** Versions whose names are no numbers share one; of those the one that is ready stands for all. */
function see(sightings: Map<string, ModelSighting>, row: IndexRow, phase: CopyPhase, reason: string): void {
  const versionName = row.version ?? undefined;
  const version = versionNumber(versionName);
  const key = `${version} ${row.name}`;
  if (sightings.get(key)?.phase === 'ready') return;
  sightings.set(key, {
    model: row.name,
    version,
    versionName: versionName === '' ? undefined : versionName,
    phase,
    reason,
  });
}
