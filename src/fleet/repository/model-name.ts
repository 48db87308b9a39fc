import { SkeinError } from '../../protocol/errors.ts';

const mostBytes = 255;

/**
 * Why a directory's name cannot be a model's, or undefined. Triton takes any name that is no path; here it must also be
 * fit for a URL, a log line and a metric's label, so control characters are out, and a leading dot marks what is hidden.
 */
export function modelNameFault(name: string): string | undefined {
  if (name.trim() === '') return 'it is empty';
  if (name.startsWith('.')) return 'it begins with a dot';
  if (/[/\\]/.test(name)) return 'it contains a slash or a backslash';
  if (/\p{Cc}|\p{Cs}|\p{Zl}|\p{Zp}|\uFFFD/u.test(name)) return 'it contains a control character or is not UTF-8';
  if (name !== name.trim()) return 'it begins or ends with a space';
  if (Buffer.byteLength(name) > mostBytes) return `it is longer than ${mostBytes} bytes`;
  return undefined;
}

/** For names that come from outside: throws `model_name_invalid`. */
export function checkModelName(name: string): void {
  const reason = modelNameFault(name);
  if (reason !== undefined) throw new SkeinError('model_name_invalid', { name: name.slice(0, mostBytes), reason });
}
