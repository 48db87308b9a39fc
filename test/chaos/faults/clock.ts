/** A wall clock that jumps in all processes of one member; etcd's own stays right. */
import { memberIds } from '../chaos-fleet.ts';
import type { Fault } from '../fault.ts';

const hourMs = 3_600_000;
const jumps: Readonly<Record<string, number>> = {
  'an hour ahead': hourMs,
  'an hour back': -hourMs,
  'ten years ahead': 87_600 * hourMs,
};

export const jumpClock: Fault = {
  kind: 'jump-clock',
  targets: memberIds,
  variants: Object.keys(jumps),
  holdMs: [3_000, 15_000],
  async begin({ fleet }, target, variant) {
    fleet.setClock(target, jumps[variant]!);
    return async () => fleet.setClock(target, 0);
  },
};
