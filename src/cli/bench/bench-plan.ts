import { resolve } from 'node:path';
import { durationForm, parseDuration } from '../../config/duration.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { VerbCall } from '../verb.ts';
import type { ArrivalKind } from './arrivals.ts';
import { type BodyKind, benchDefaults, benchOptions } from './bench-flags.ts';
import type { BodyWish } from './infer-body.ts';
import type { DataKind } from './input-values.ts';
import type { WindowRules } from './measure-level.ts';

/** One level of load. */
export type Level =
  | { readonly kind: 'concurrency'; readonly connections: number }
  | { readonly kind: 'rate'; readonly perSecond: number };

/** What `skein bench` was asked to do. */
export interface BenchPlan {
  /** Names, or patterns with `*`. */
  readonly models: readonly string[];
  readonly levels: readonly Level[];
  readonly arrivals: ArrivalKind;
  readonly maxConnections: number;
  readonly body: BodyWish;
  /** Of a gRPC port that is not the default one. */
  readonly grpcUrl: string | undefined;
  /** A body of the user's own. */
  readonly requestFile: string | undefined;
  readonly zipf: number;
  readonly rules: WindowRules;
  readonly timeoutMs: number;
  readonly csvFile: string | undefined;
  readonly chartFile: string | undefined;
}

type FlagName = keyof typeof benchOptions;

const mostConnections = 4_096;
const maxDurationMs = 3_600_000;

/** Throws `usage`, which names the flag and what it takes. */
export function benchPlan({ flags, operands }: VerbCall, cwd: string): BenchPlan {
  const given = (flag: FlagName) => (flags[flag] === undefined ? undefined : String(flags[flag]));
  const textOf = (flag: keyof typeof benchDefaults) => given(flag) ?? benchDefaults[flag];
  const count = (flag: keyof typeof benchDefaults, max: number) => wholeNumber(flag, textOf(flag), 1, max);
  const time = (flag: keyof typeof benchDefaults, minMs: number) => duration(flag, textOf(flag), minMs);
  const path = (flag: FlagName) => (given(flag) === undefined ? undefined : resolve(cwd, given(flag)!));
  if (given('rate') !== undefined && given('concurrency') !== undefined) {
    throw usage('--rate and --concurrency are two kinds of load: give one of them');
  }
  if (given('request') !== undefined && textOf('body') === 'grpc') {
    throw usage('--request is the JSON of a V2 request: it cannot be sent with --body grpc');
  }
  return {
    models: operands,
    levels: given('rate') === undefined ? closedLevels(textOf('concurrency')) : openLevels(given('rate')!),
    arrivals: choice('arrivals', textOf('arrivals')) as ArrivalKind,
    maxConnections: count('connections', mostConnections),
    body: {
      kind: choice('body', textOf('body')) as BodyKind,
      batch: count('batch', 65_536),
      shapes: shapesOf(flags['shape']),
      data: choice('data', textOf('data')) as DataKind,
      seed: wholeNumber('seed', textOf('seed'), 0, 2 ** 31 - 1),
    },
    grpcUrl: given('grpc') === undefined ? undefined : httpUrl('grpc', given('grpc')!),
    requestFile: path('request'),
    zipf: number('zipf', textOf('zipf'), 0, 10),
    rules: {
      warmUpMs: time('warm-up', 0),
      windowMs: time('window', 100),
      maxWindows: count('max-windows', 1_000),
      stabilityPercent: number('stability', textOf('stability'), 0.1, 1_000),
    },
    timeoutMs: time('timeout', 1),
    csvFile: path('csv'),
    chartFile: path('chart'),
  };
}

export function levelValue(level: Level): number {
  return level.kind === 'rate' ? level.perSecond : level.connections;
}

function closedLevels(text: string): Level[] {
  return text.split(',').map((part) => {
    return { kind: 'concurrency', connections: wholeNumber('concurrency', part, 1, mostConnections) };
  });
}

function openLevels(text: string): Level[] {
  return text.split(',').map((part) => ({ kind: 'rate', perSecond: number('rate', part, 0.01, 1e6) }));
}

function shapesOf(value: unknown): Map<string, readonly number[]> {
  const texts = value === undefined ? [] : (value as readonly string[]);
  return new Map(
    texts.map((text) => {
      // A name may hold an equals sign; sizes do not.
      const at = text.lastIndexOf('=');
      const sizes = text.slice(at + 1).split(',');
      if (at < 1 || !sizes.every((size) => /^\d{1,9}$/.test(size))) {
        throw usage(`--shape must be an input and its dimensions, such as x=1,3,48,192, got '${text}'`);
      }
      return [text.slice(0, at), sizes.map(Number)];
    }),
  );
}

function choice(flag: 'arrivals' | 'body' | 'data', text: string): string {
  const choices: readonly string[] = benchOptions[flag].choices;
  if (choices.includes(text)) return text;
  throw usage(`--${flag} is '${text}'; expected one of ${choices.join(', ')}`);
}

function httpUrl(flag: FlagName, text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
  throw usage(`--${flag} must be an http:// or https:// URL, got '${text}'`);
}

function wholeNumber(flag: FlagName, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw usage(`--${flag} must be a whole number from ${min} to ${max}, got '${text}'`);
}

function number(flag: FlagName, text: string, min: number, max: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= min && value <= max) return value;
  throw usage(`--${flag} must be a number from ${min} to ${max}, got '${text}'`);
}

function duration(flag: FlagName, text: string, minMs: number): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= minMs && ms <= maxDurationMs) return ms;
  throw usage(`--${flag} must be ${durationForm}, from ${minMs} ms to an hour, got '${text}'`);
}

function usage(reason: string): SkeinError {
  return new SkeinError('usage', { reason });
}
