/** The `skein` command. Imports little: what a verb needs is read when it is called. */
import { processConsole } from './command-console.ts';
import { runCommand } from './run-command.ts';

// The reader of a pipe may close it early: `skein models | head`.
process.stdout.on('error', (fault: NodeJS.ErrnoException) => {
  if (fault.code !== 'EPIPE') throw fault;
  process.exit();
});

const status = await runCommand(process.argv.slice(2), processConsole());
// Not at once: output may still be on its way. Nor at all where it was done: a status that it set itself stays. What failed
// half-way has timers, links and ports that would keep the process, with nobody left who listens to signals.
if (status !== 0) process.stdout.write('', () => process.stderr.write('', () => process.exit(status)));
