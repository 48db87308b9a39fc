import type { BudgetOrder, EndingNotice, MemoryReport } from './budget-desk.ts';
import type { CoreOrder, CoreReport } from './core-desk.ts';
import type { Host } from './host.ts';

/** The supervisor hears of changes at once, then at most this often. */
const minGapMs = 100;

/** It takes no more loads, and ends: if it is wanted again, another has to be started. */
export function tellOfEnding(): void {
  process.send?.({ ending: true } satisfies EndingNotice);
}

/** The line of a backend process to its supervisor: tells what it holds and uses, and does as it is told about it. */
export function reportToSupervisor(host: Host): void {
  if (process.send === undefined) return; // started by hand
  process.on('message', (order: BudgetOrder | CoreOrder) => {
    if ('cores' in order) host.setCores(order.cores);
    else host.setBudget(order.budgetBytes);
  });
  // Its end is seen on standard input; until then this line alone must not keep the process alive.
  process.channel?.unref();
  reportMemory(host);
  reportCores(host);
}

function reportMemory(host: Host): void {
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

/** Below this a change of what is wanted is not worth telling. */
const coreStep = 0.25;

/** Looks at what the runs want for as long as there are any: an idle process tells nothing. */
function reportCores({ cores }: Host): void {
  let told = 0;
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const wantedCores = coreStep * Math.round(cores.takeDemand() / coreStep);
    if (wantedCores !== told && process.connected) process.send?.({ wantedCores } satisfies CoreReport);
    told = wantedCores;
    if (wantedCores > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  cores.whenWanted(() => {
    if (timer !== undefined) return;
    cores.takeDemand(); // a quiet time before it does not count
    timer = setInterval(look, minGapMs).unref();
  });
}
