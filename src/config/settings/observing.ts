import type { SettingRow } from '../setting.ts';

/** Logs, metrics, traces. */
export const observingSettings = {
  logLevel: {
    flag: 'log-level',
    kind: 'choice',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
    verbs: ['serve', 'router', 'backend'],
    summary: 'least severity that is logged',
    why: 'debug adds every load, eviction and link that ends.',
  },
  logFormat: {
    flag: 'log-format',
    kind: 'choice',
    choices: ['json', 'text'],
    default: 'json',
    verbs: ['serve', 'router', 'backend'],
    summary: 'form of the log on stderr: JSON lines for machines, or short lines for people',
    why: 'text is made from the JSON line and takes longer; it drops nothing.',
  },
  metricsMaxModels: {
    flag: 'metrics-max-models',
    kind: 'count',
    min: 1,
    max: 100_000,
    default: 200,
    verbs: ['serve', 'router'],
    summary: 'models with metrics of their own; all others are counted together as model="_other"',
    why: 'Each model has some dozens of time series, here and in the Prometheus server: they, not requests, are what a large fleet pays for.',
  },
  otlpEndpoint: {
    flag: 'otlp-endpoint',
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    kind: 'url',
    default: '',
    form: 'an http:// or https:// URL',
    verbs: ['serve', 'router'],
    summary: 'OpenTelemetry collector (OTLP over HTTP) that spans are sent to',
    why: 'traceparent headers are passed on whether or not spans are sent.',
  },
} as const satisfies Record<string, SettingRow>;
