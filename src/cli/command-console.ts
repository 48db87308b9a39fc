import { processEnvironment } from '../config/environment.ts';
import type { Environment } from '../config/setting.ts';

/** What a command sees of the process around it. */
export interface CommandConsole {
  /** Results: what a script reads. */
  out(text: string): void;
  /** Progress, warnings, errors: what a person reads. */
  err(text: string): void;
  /** Somebody watches stderr, so that a line may be written over. */
  readonly isInteractive: boolean;
  readonly env: Environment;
  readonly cwd: string;
}

export function processConsole(): CommandConsole {
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    isInteractive: process.stderr.isTTY === true,
    env: processEnvironment(),
    cwd: process.cwd(),
  };
}
