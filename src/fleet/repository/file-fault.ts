import { SkeinError } from '../../protocol/errors.ts';

/** Of a file that a setting names. */
export function fileFault(path: string, fault: unknown): SkeinError {
  const { code, facts } = fault instanceof SkeinError ? fault : { code: undefined, facts: {} };
  const { where, reason } = facts as { where?: string; reason?: string };
  const said = reason ?? (fault as Error).message;
  const isPlaced = code === 'config_malformed' || code === 'config_refused';
  return new SkeinError(
    'settings_file_wrong',
    { path, reason: isPlaced ? `${where}: ${said}` : said },
    { cause: fault },
  );
}
