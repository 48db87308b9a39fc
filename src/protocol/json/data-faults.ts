import { SkeinError } from '../errors.ts';
import type { JsonCursor } from './json-cursor.ts';
import { readValue } from './json-value.ts';

/** The kinds of value that a reader asks for, as Triton names them. */
const phrases = {
  boolean: 'non-boolean as boolean',
  signed: 'non-signed-integer as signed-integer',
  unsigned: 'non-unsigned-integer as unsigned-integer',
  double: 'non-number as double',
  string: 'non-string as string',
  array: 'non-array as array',
} as const;

type WantedKind = keyof typeof phrases;

export function wrongKind(what: string, wanted: WantedKind): SkeinError {
  return new SkeinError('json_kind', { what, phrase: phrases[wanted] });
}

export function missingMember(field: string): SkeinError {
  return new SkeinError('json_member_missing', { field });
}

/** For an element of `data` that is not what the datatype wants: a fault of syntax when it is no value at all. */
export function wrongElement(cursor: JsonCursor, wanted: WantedKind): SkeinError {
  readValue(cursor);
  return wrongKind(wanted === 'string' ? 'JSON bytes array' : "'data'", wanted);
}
