/** Who is in the fleet, as members announce themselves. Readers ignore members of a record that they do not know. */

export type MemberRecord = BackendMember | RouterMember;

interface MemberFacts {
  readonly id: string;
  /** Drawn at each start of the member's process: two records of one id and different instances are two processes. */
  readonly instance: string;
  readonly software: string;
}

/** How the process of a backend ended last, as what watches over it saw it. */
export interface ProcessEnds {
  /** Ends so far; 0: none yet. */
  readonly count: number;
  /** The signal of the last one, where one ended it. */
  readonly signal?: string;
  /** Its exit code, where it ended by itself. */
  readonly code?: number;
}

export interface BackendMember extends MemberFacts {
  readonly role: 'backend';
  /** Where routers reach it: `tcp://host:port`. */
  readonly address: string;
  readonly engines: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Only models that require or tolerate them are placed on it. */
  readonly taints: readonly string[];
  /** What fails together; '' where nothing is known of it. */
  readonly zone: string;
  /** True once it has begun to leave: nothing new is placed on it. */
  readonly leaving: boolean;
  /** Left out by members that do not tell. */
  readonly ends?: ProcessEnds;
}

export interface RouterMember extends MemberFacts {
  readonly role: 'router';
  /** Base URL of its HTTP port. */
  readonly url: string;
}

/** Undefined where a record cannot be used: one that a stranger wrote must not stop those that are well. */
export function readMember(value: unknown): MemberRecord | undefined {
  const record = value as Partial<BackendMember> & Partial<RouterMember> & { role?: string };
  if (typeof record !== 'object' || record === null) return undefined;
  const { id, instance, software = '', role } = record;
  if (typeof id !== 'string' || typeof instance !== 'string') return undefined;
  const facts = { id, instance, software: String(software) };
  if (role === 'router') return { role, ...facts, url: String(record.url ?? '') };
  if (role !== 'backend' || typeof record.address !== 'string') return undefined;
  return {
    role,
    ...facts,
    address: record.address,
    engines: textsOf(record.engines),
    labels: record.labels ?? {},
    taints: textsOf(record.taints),
    zone: String(record.zone ?? ''),
    leaving: record.leaving === true,
    ...(typeof record.ends?.count === 'number' && { ends: record.ends }),
  };
}

function textsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
}
