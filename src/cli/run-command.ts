import { SkeinError } from '../protocol/errors.ts';
import { parseInvocation } from './arguments.ts';
import type { CommandConsole } from './command-console.ts';
import { exitStatuses, exitStatusOf } from './exit-status.ts';

/** Runs one command line and resolves to its exit status. Never rejects. */
export async function runCommand(argv: readonly string[], console: CommandConsole): Promise<number> {
  try {
    const invocation = parseInvocation(argv);
    if (invocation.kind === 'call') {
      const { run } = await invocation.verb.load();
      await run(invocation.call, console);
      return exitStatuses.ok.status;
    }
    const { overview, helpFor } = await import('./help-text.ts');
    if (invocation.kind === 'help') {
      console.out(invocation.name === undefined ? overview() : helpFor(invocation.name));
      return exitStatuses.ok.status;
    }
    console.err(overview());
    return exitStatuses.usage.status;
  } catch (fault) {
    const error = SkeinError.from(fault);
    console.err(`skein: ${error.message}\n`);
    // A defect is worth its stack; everything else says in its message what to do.
    if (error.code === 'internal' && error.cause instanceof Error) console.err(`${error.cause.stack}\n`);
    return exitStatusOf(error.code);
  }
}
