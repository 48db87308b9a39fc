import { readEntry } from '../catalogue-entry.ts';
import { readConviction } from '../conviction.ts';
import type { FleetFact } from '../fleet-picture.ts';
import { laterMembers } from '../later-members.ts';
import { readMember } from '../member-record.ts';
import { readTurnedAway } from '../turned-away.ts';
import { decodeBytes, type KeyValue } from './etcd-messages.ts';

/** Where each fact lies under the fleet's prefix. */
export class KeySpace {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Says which fleet this is. A store without it, or with another one, is not the one that was known. */
  get marker(): string {
    return `${this.prefix}fleet`;
  }

  /** Written with every removal that Skein makes: what is removed without it was removed by somebody else. */
  get removals(): string {
    return `${this.prefix}removals`;
  }

  /** Held by the one member that tries what may end a process. */
  get turn(): string {
    return `${this.prefix}turn`;
  }

  keyOf(kind: FleetFact['kind'], name: string): string {
    return `${this.prefix}${folders[kind]}${name}`;
  }

  /** The fact that a key holds; undefined for keys that hold none. Throws for values that cannot be read. */
  factOf({ key, value, mod_revision: revision }: KeyValue, isGone: boolean): FleetFact | undefined {
    const path = decodeBytes(key).slice(this.prefix.length);
    for (const kind of kinds) {
      if (!path.startsWith(folders[kind])) continue;
      const name = path.slice(folders[kind].length);
      return isGone ? { kind, name, value: undefined } : readFact(kind, name, decodeBytes(value), Number(revision));
    }
    return undefined;
  }
}

const folders: Readonly<Record<FleetFact['kind'], string>> = {
  entry: 'models/',
  backend: 'backends/',
  router: 'routers/',
  drain: 'drains/',
  conviction: 'convictions/',
  turnedAway: 'turned-away/',
};

const kinds = Object.keys(folders) as FleetFact['kind'][];

function readFact(kind: FleetFact['kind'], name: string, text: string, revision: number): FleetFact | undefined {
  if (kind === 'drain') return { kind, name, value: true };
  const value: unknown = JSON.parse(text);
  if (kind === 'entry') {
    const entry = readEntry(value);
    const later = laterMembers(value as object);
    // The entry's own text for it: that of the key is a part of a longer one, and would keep it.
    return { kind, name: entry.name === name ? entry.name : name, value: { entry, revision, ...(later && { later }) } };
  }
  if (kind === 'conviction') {
    const conviction = readConviction(value);
    return conviction && { kind, name, value: conviction };
  }
  if (kind === 'turnedAway') {
    const member = readTurnedAway(value);
    return member && { kind, name, value: member };
  }
  const member = readMember(value);
  if (kind === 'backend' && member?.role === 'backend') return { kind, name, value: member };
  if (kind === 'router' && member?.role === 'router') return { kind, name, value: member };
  return undefined;
}
