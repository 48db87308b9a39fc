import { resolve } from 'node:path';
import { SkeinError } from '../protocol/errors.ts';
import { byteSizeForm, parseByteSize, writeByteSize } from './byte-size.ts';
import { durationForm, parseDuration, writeDuration } from './duration.ts';
import type { RawSetting } from './raw-setting.ts';
import type { SettingRow } from './setting.ts';

export type ParsedValue = string | number | boolean | readonly string[];

/** The value in the unit of its property, in range. Throws `setting_invalid`, which names who gave it and what is expected. */
export function parseSetting(row: SettingRow, raw: RawSetting): ParsedValue {
  const parsed = parseKind(row, raw);
  if (parsed === undefined || !isInRange(row, parsed)) {
    throw new SkeinError('setting_invalid', {
      origin: raw.origin,
      value: shown(raw.value),
      expected: expectedForm(row),
    });
  }
  return parsed;
}

function parseKind(row: SettingRow, { value, baseDir }: RawSetting): ParsedValue | undefined {
  switch (row.kind) {
    case 'port':
    case 'count':
      return parseInteger(value);
    case 'bytes':
      return typeof value === 'number' ? value : whenText(value, parseByteSize);
    case 'duration':
      return value === 0 ? 0 : whenText(value, parseDuration);
    case 'choice':
      return whenText(value, (text) => row.choices.find((choice) => choice === text));
    case 'switch':
      return parseSwitch(value);
    case 'text':
      return whenText(value, (text) => text);
    case 'url':
      return whenText(value, parseHttpUrl);
    case 'path':
      return whenText(value, (text) => (text === '' ? undefined : resolve(baseDir, text)));
    case 'paths':
      return parsePaths(value, baseDir);
    default:
      return row satisfies never;
  }
}

function isInRange(row: SettingRow, parsed: ParsedValue): boolean {
  if (row.kind === 'port') return Number(parsed) <= 65_535;
  if (row.kind !== 'count' && row.kind !== 'bytes' && row.kind !== 'duration') return true;
  return Number.isSafeInteger(parsed) && Number(parsed) >= row.min && Number(parsed) <= row.max;
}

/** What a row takes, for errors and the reference. */
export function expectedForm(row: SettingRow): string {
  switch (row.kind) {
    case 'port':
      return 'a port from 0 to 65535 (0 picks a free one)';
    case 'count':
      return `a whole number${range(row, String)}`;
    case 'bytes':
      return `${byteSizeForm}${range(row, writeByteSize)}`;
    case 'duration':
      return `${durationForm}${range(row, writeDuration)}`;
    case 'choice':
      return `one of ${row.choices.join(', ')}`;
    case 'switch':
      return 'true or false';
    case 'text':
    case 'url':
    case 'path':
    case 'paths':
      return row.form;
    default:
      return row satisfies never;
  }
}

function range({ min, max }: { readonly min: number; readonly max: number }, write: (value: number) => string): string {
  return ` from ${write(min)} to ${write(max)}`;
}

function parseInteger(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  return whenText(value, (text) => (/^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined));
}

function parseSwitch(value: unknown): boolean | undefined {
  if (value === true || value === 'true' || value === '1') return true;
  return value === false || value === 'false' || value === '0' ? false : undefined;
}

/** Without a slash at the end, so that paths can be put behind it. */
export function parseHttpUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  return text.replace(/\/+$/, '');
}

function parsePaths(value: unknown, baseDir: string): readonly string[] | undefined {
  const paths = typeof value === 'string' ? [value] : value;
  const areTexts = Array.isArray(paths) && paths.every((path) => typeof path === 'string' && path !== '');
  return areTexts ? paths.map((path: string) => resolve(baseDir, path)) : undefined;
}

function whenText<T>(value: unknown, parse: (text: string) => T | undefined): T | undefined {
  return typeof value === 'string' ? parse(value) : undefined;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value));
}
