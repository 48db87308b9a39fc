import type { MemberRecord } from './member-record.ts';

/** Where people find a member. */
export function placeOf(member: MemberRecord): string {
  return member.role === 'backend' ? member.address : member.url;
}
