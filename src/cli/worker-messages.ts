import type { BackendRecord } from '../adapters/adapter.ts';
import type { Settings } from '../config/settings.ts';
import type { EngineKind } from '../fleet/repository/model-backend.ts';
import type { LinkError } from '../protocol/link/messages.ts';
import type { Metric } from '../router/metrics/metric.ts';
import type { ProcessEnd } from '../router/routing/process-end.ts';
import type { RouterCall, RouterNews } from './router-news.ts';

/** What the first router process and the others tell each other. `ask` numbers a question; its answer carries it. */

export type ToWorker =
  | {
      readonly kind: 'start';
      readonly id: string;
      readonly settings: Settings;
      readonly records: readonly BackendRecord[];
      readonly news: readonly RouterNews[];
    }
  | { readonly kind: 'news'; readonly ask: number; readonly news: RouterNews }
  | { readonly kind: 'collect'; readonly ask: number }
  | { readonly kind: 'answer'; readonly ask: number; readonly value: ProcessEnd | BackendRecord | undefined }
  | { readonly kind: 'refused'; readonly ask: number; readonly error: LinkError }
  | { readonly kind: 'stop'; readonly graceMs: number };

export type FromWorker =
  | { readonly kind: 'metrics'; readonly ask: number; readonly metrics: readonly Metric[] }
  | { readonly kind: 'heard'; readonly ask: number }
  | { readonly kind: 'call'; readonly ask: number; readonly call: RouterCall }
  | { readonly kind: 'endOf'; readonly ask: number; readonly backend: string }
  | { readonly kind: 'openApart'; readonly ask: number; readonly backend: string; readonly engine: EngineKind }
  | { readonly kind: 'wake'; readonly backend: string }
  | { readonly kind: 'closeApart'; readonly backend: string };
