import { placeOf } from './member-place.ts';
import type { MemberRecord } from './member-record.ts';

/** A process that was not let in: another one that lives has its name. Known for a minute after its last try. */
export interface TurnedAway {
  readonly role: MemberRecord['role'];
  readonly id: string;
  /** Where it would be reached. */
  readonly where: string;
}

/** How long it is told of: longer than what starts it again waits between two tries. */
export const toldForMs = 60_000;

export function turnedAway(member: MemberRecord): TurnedAway {
  return { role: member.role, id: member.id, where: placeOf(member) };
}

/** What it is kept under: one for each name. */
export function turnedAwayName({ role, id }: Pick<TurnedAway, 'role' | 'id'>): string {
  return `${role}/${id}`;
}

/** Undefined where it cannot be used. */
export function readTurnedAway(value: unknown): TurnedAway | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { role, id, where = '' } = value as Partial<TurnedAway>;
  if ((role !== 'backend' && role !== 'router') || typeof id !== 'string') return undefined;
  return { role, id, where: String(where) };
}
