import pino, { type Logger } from 'pino';
import type { Settings } from '../config/settings.ts';

interface LogOptions {
  readonly level: Settings['logLevel'];
  readonly format: Settings['logFormat'];
}

/** Where finished lines go; stderr, unless a test listens. */
interface LogSink {
  write(line: string): void;
}

/**
 * The log of one process: JSON lines on stderr, or short lines for people. stdout is left to results. Lines are written
 * at once, so that the last one before a crash is there. A backend's lines carry its id as `backend`.
 */
export function createLog({ level, format }: LogOptions, sink?: LogSink): Logger {
  const out = sink ?? pino.destination({ fd: 2, sync: true });
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.err },
  };
  return pino(options, format === 'json' ? out : { write: (line: string) => void out.write(textLine(line)) });
}

/** `07:02:06.123 INFO  b1: model loaded model=resnet50 loadMs=31`, and under it the stack of an error. */
export function textLine(jsonLine: string): string {
  const { level, time, pid: _, backend, msg, error, err, ...facts } = JSON.parse(jsonLine) as Record<string, unknown>;
  const pairs = Object.entries(facts).map(([name, value]) => ` ${name}=${shown(value)}`);
  const clock = String(time).slice('2026-01-01T'.length, -1);
  const speaker = backend === undefined ? '' : `${backend}: `;
  const head = `${clock} ${String(level).toUpperCase().padEnd(5)} ${speaker}${msg ?? ''}${pairs.join('')}`;
  return `${[head, ...[error, err].flatMap(faultLines)].join('\n')}\n`;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'string' && /[\s"=]|^$/.test(text) ? JSON.stringify(text) : text;
}

function faultLines(fault: unknown): string[] {
  if (fault === undefined) return [];
  const isObject = typeof fault === 'object' && fault !== null;
  const { stack, message } = (isObject ? fault : { message: fault }) as Record<string, unknown>;
  return String(stack ?? message)
    .split('\n')
    .map((line) => `    ${line.trim()}`);
}
