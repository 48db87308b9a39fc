import { readFileSync } from 'node:fs';

/** Linux counts processor time in ticks of a hundredth of a second. */
const msPerTick = 10;

/** User and system time that processes have used so far, in milliseconds. Ended ones count nothing. */
export function cpuMs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    try {
      // The command, in brackets, may hold blanks: what follows the last bracket is counted.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // ended
    }
  }
  return ticks * msPerTick;
}
