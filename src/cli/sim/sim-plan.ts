import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { byteSizeForm, parseByteSize } from '../../config/byte-size.ts';
import { durationForm, parseDuration } from '../../config/duration.ts';
import { SkeinError } from '../../protocol/errors.ts';
import { defaultPlacementOptions } from '../../router/placement/snapshot.ts';
import type { FleetEvent, FleetShape } from '../../simulation/fleet-shape.ts';
import { azureTrace } from '../../simulation/traces/azure-trace.ts';
import type { Trace } from '../../simulation/traces/trace.ts';
import { readTrace, traceForm } from '../../simulation/traces/trace-text.ts';
import { drawBursts, zipfTrace } from '../../simulation/traces/zipf-trace.ts';
import type { VerbCall } from '../verb.ts';
import { simDefaults } from './sim-flags.ts';

/** What `skein sim` was asked to do. */
export interface SimPlan {
  readonly shape: FleetShape;
  readonly trace: Trace;
  /** For people: `zipf`, or the name of a file. */
  readonly traceName: string;
}

/** As `skein serve` has them by default. */
const holdLimits = { maxPerModel: 512, maxTotal: 4096, maxHoldMs: 60_000 };

const dayMs = 24 * 3_600_000;

/** Throws `usage`, which names the flag and what it takes. */
export function simPlan({ flags }: VerbCall, cwd: string): SimPlan {
  const values = new FlagReader(flags);
  const seed = values.whole('seed', 0, 2 ** 31 - 1);
  const shape: FleetShape = {
    nodes: values.whole('nodes', 1, 10_000),
    routers: values.whole('routers', 1, 100),
    places: values.whole('places', 1, 100_000),
    meanBytes: values.bytes('size'),
    sizeSpread: values.number('size-spread', 0, 3),
    loadMs: values.duration('load'),
    loadSpread: values.number('load-spread', 0, 3),
    runMs: values.duration('run'),
    runSlots: values.whole('slots', 1, 4_096),
    loadLanes: values.whole('load-lanes', 1, 64),
    linkMs: values.duration('link'),
    skewMs: values.duration('skew', 1_000),
    clients: values.whole('clients', 0, 100_000),
    timeoutMs: values.duration('timeout'),
    hold: holdLimits,
    placement: defaultPlacementOptions,
    scales: flags['fixed-copies'] !== true,
    rebalances: flags['fixed-places'] !== true,
    events: eventsOf(flags['event']),
    warmMs: values.duration('warm-up'),
    seed,
  };
  const traceName = values.text('trace');
  return { shape, trace: traceOf(traceName, values, seed, cwd), traceName };
}

function traceOf(name: string, values: FlagReader, seed: number, cwd: string): Trace {
  const made = { models: values.whole('models', 1, 10_000_000), perSecond: values.number('rate', 0.001, 1e6), seed };
  if (name === 'azure') return azureTrace({ ...made, minutes: values.whole('minutes', 1, 100_000) });
  if (name !== 'zipf') return recordedTrace(resolve(cwd, name), seed);
  const requests = values.whole('requests', 1, 1_000_000_000);
  const shape = { ...made, requests, exponent: values.number('exponent', 0, 5) };
  return zipfTrace(shape, drawBursts(shape, values.whole('bursts', 0, 1_000)));
}

function recordedTrace(path: string, seed: number): Trace {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (fault) {
    throw usage(`--trace is zipf, azure or a file; '${path}' cannot be read: ${(fault as Error).message}`);
  }
  const read = readTrace(text, seed);
  if ('fault' in read) throw usage(`'${path}' is no trace: ${read.fault}; expected ${traceForm}`);
  return read.trace;
}

function eventsOf(given: unknown): FleetEvent[] {
  return (Array.isArray(given) ? given : []).map((text) => {
    const [, kind, node, time] = /^(join|drain|kill)(?::([^@]+))?@(.+)$/.exec(String(text)) ?? [];
    const atMs = time === undefined ? undefined : parseDuration(time);
    if (atMs === undefined || (kind === 'join' && node !== undefined)) {
      throw usage(`--event is join@TIME, drain@TIME, kill@TIME or drain:NODE@TIME, got '${text}'`);
    }
    return { kind: kind as FleetEvent['kind'], atMs, ...(node !== undefined && { node }) };
  });
}

/** Flags by name, read as what they are. */
class FlagReader {
  readonly #flags: VerbCall['flags'];

  constructor(flags: VerbCall['flags']) {
    this.#flags = flags;
  }

  text(flag: keyof typeof simDefaults): string {
    const given = this.#flags[flag];
    return given === undefined ? simDefaults[flag] : String(given);
  }

  whole(flag: keyof typeof simDefaults, min: number, max: number): number {
    const value = this.number(flag, min, max);
    if (!Number.isInteger(value)) throw usage(`--${flag} takes a whole number, got '${this.text(flag)}'`);
    return value;
  }

  number(flag: keyof typeof simDefaults, min: number, max: number): number {
    const text = this.text(flag);
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= min && value <= max)) throw usage(`--${flag} takes a number from ${min} to ${max}, got '${text}'`);
    return value;
  }

  duration(flag: keyof typeof simDefaults, maxMs = dayMs): number {
    const text = this.text(flag);
    const ms = parseDuration(text);
    if (ms === undefined) throw usage(`--${flag} takes ${durationForm}, got '${text}'`);
    if (ms > maxMs) throw usage(`--${flag} takes at most ${maxMs / 1000}s, got '${text}'`);
    return ms;
  }

  bytes(flag: keyof typeof simDefaults): number {
    const text = this.text(flag);
    const bytes = parseByteSize(text);
    if (bytes === undefined || bytes < 1) throw usage(`--${flag} takes ${byteSizeForm}, got '${text}'`);
    return bytes;
  }
}

function usage(reason: string): SkeinError {
  return new SkeinError('usage', { reason });
}
