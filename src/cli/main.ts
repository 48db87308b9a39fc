/** The `skein` command. Imports little: what a verb needs is read when it is called. */
import { processConsole } from './command-console.ts';
import { runCommand } from './run-command.ts';

// The reader of a pipe may close it early: `skein models | head`.
process.stdout.on('error', (fault: NodeJS.ErrnoException) => {
  if (fault.code !== 'EPIPE') throw fault;
  process.exit();
});

const status = await runCommand(process.argv.slice(2), processConsole());
// Not process.exit: output may still be on its way, and a server goes on. A status that it set itself stays.
if (status !== 0) process.exitCode = status;
