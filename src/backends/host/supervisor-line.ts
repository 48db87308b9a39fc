import type { BudgetOrder, EndingNotice, MemoryReport } from './budget-desk.ts';
import type { Host } from './host.ts';

/** The supervisor hears of changes at once, then at most this often. */
const minGapMs = 100;

/** It takes no more loads, and ends: if it is wanted again, another has to be started. */
export function tellOfEnding(): void {
  process.send?.({ ending: true } satisfies EndingNotice);
}

/** The line of a backend process to its supervisor: tells what it holds, and does as it is told about it. */
export function reportToSupervisor(host: Host): void {
  if (process.send === undefined) return; // started by hand
  process.on('message', ({ budgetBytes }: BudgetOrder) => host.setBudget(budgetBytes));
  // Its end is seen on standard input; until then this line alone must not keep the process alive.
  process.channel?.unref();
  let told = '';
  let isDue = false;
  let sentMs = -Infinity;
  const tell = () => {
    isDue = false;
    const report: MemoryReport = host.memoryReport();
    const text = JSON.stringify(report);
    if (text === told || !process.connected) return;
    told = text;
    sentMs = performance.now();
    process.send?.(report);
  };
  host.onChange(() => {
    if (isDue) return;
    isDue = true;
    setTimeout(tell, Math.max(0, sentMs + minGapMs - performance.now()));
  });
}
