import type { ErrorCode } from '../protocol/errors.ts';

/** What `skein` exits with. */
export const exitStatuses = {
  ok: { status: 0, meaning: 'it was done' },
  refused: { status: 1, meaning: 'the server refused it, or it failed; the message says why' },
  usage: { status: 2, meaning: 'the command line, the environment or the settings file is wrong' },
  unreachable: { status: 3, meaning: 'no server answers at the URL' },
} as const;

/** Errors that only the command gives, never a server. */
export const commandErrors = {
  usage: exitStatuses.usage,
  setting_invalid: exitStatuses.usage,
  setting_unknown: exitStatuses.usage,
  settings_file: exitStatuses.usage,
  settings_conflict: exitStatuses.usage,
  server_refused: exitStatuses.refused,
  server_unreachable: exitStatuses.unreachable,
} as const satisfies Partial<Record<ErrorCode, (typeof exitStatuses)[keyof typeof exitStatuses]>>;

export function exitStatusOf(code: ErrorCode): number {
  return code in commandErrors ? commandErrors[code as keyof typeof commandErrors].status : exitStatuses.refused.status;
}
