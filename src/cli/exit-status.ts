import type { ErrorCode } from '../protocol/errors.ts';

/** What `skein` exits with. */
export const exitStatuses = {
  ok: { status: 0, meaning: 'it was done' },
  refused: { status: 1, meaning: 'the server refused it, or it failed; the message says why' },
  usage: { status: 2, meaning: 'the command line, the environment or the settings file is wrong' },
  unreachable: { status: 3, meaning: 'no server answers at the URL' },
} as const;

const usageCodes: readonly ErrorCode[] = [
  'usage',
  'setting_invalid',
  'setting_unknown',
  'settings_file',
  'settings_conflict',
];

export function exitStatusOf(code: ErrorCode): number {
  if (code === 'server_unreachable') return exitStatuses.unreachable.status;
  return usageCodes.includes(code) ? exitStatuses.usage.status : exitStatuses.refused.status;
}
