/**
 * Loaded before everything else in a member's processes (`node --import`): their wall clock is off by as many
 * milliseconds as the file says that CHAOS_CLOCK names. As when an operator or NTP sets a clock, what measures durations
 * (performance.now, timers) goes on evenly. Time stamps of files stay those of the machine.
 */
import { readFileSync } from 'node:fs';

const file = process.env['CHAOS_CLOCK'];
const everyMs = 100;
let offByMs = 0;

if (file !== undefined) {
  setInterval(() => {
    try {
      offByMs = Number(readFileSync(file, 'utf8')) || 0;
    } catch {
      offByMs = 0; // there is none while nothing is the matter
    }
  }, everyMs).unref();
  const rightNow = Date.now;
  Date.now = () => rightNow() + offByMs;
  globalThis.Date = new Proxy(Date, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [target.now()] : args, newTarget),
  });
}
