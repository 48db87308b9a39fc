import { join } from 'node:path';
import { describe } from 'node:test';
import { Batcher } from '../../../src/backends/batching/batcher.ts';
import type { QueuePolicy } from '../../../src/backends/batching/batching-options.ts';
import { BatchItem } from '../../../src/backends/batching/item.ts';
import { replayTranscripts } from './replay-transcripts.ts';

const folder = join(import.meta.dirname, 'transcripts');

class Named extends BatchItem {
  readonly name: string;
  constructor(name: string, facts: ConstructorParameters<typeof BatchItem>[0]) {
    super(facts);
    this.name = name;
  }
}

class Replayer {
  #batcher = new Batcher<Named>(optionsOf(new Map()));
  #items = new Map<string, Named>();

  play(line: string): string {
    const words = line.split(' ');
    const settings = new Map(
      words
        .filter((word) => !/^(at|push|next|cancel|batcher)$/.test(word))
        .map((word) => word.split('=') as [string, string]),
    );
    if (words[0] === 'batcher') {
      this.#batcher = new Batcher<Named>(optionsOf(settings));
      return 'ok';
    }
    const nowMs = Number(words[1]);
    const name = words[3]!;
    if (words[2] === 'push') return this.#push(name, settings, nowMs);
    if (words[2] === 'cancel') return this.#batcher.cancel(this.#items.get(name)!) ? 'cancelled' : 'not queued';
    const step = this.#batcher.next(nowMs, Number(settings.get('slots')));
    const expired = step.expired.map(({ item, why }) => `${item.name} expired: ${why}`);
    const answer =
      step.kind === 'run'
        ? `run ${step.items.map((item) => item.name).join(' ')} (${step.rows} rows)`
        : `wait until ${step.wakeAtMs}`;
    return [...expired, answer].join('\n');
  }

  #push(name: string, settings: Map<string, string>, nowMs: number): string {
    const number = (key: string, otherwise: number) => Number(settings.get(key) ?? otherwise);
    const facts = {
      rows: number('rows', 1),
      key: settings.get('key') ?? 'k',
      priority: number('priority', 0),
      timeoutUs: number('timeoutUs', 0),
      deadlineMs: number('deadline', Infinity),
    };
    const item = new Named(name, facts);
    this.#items.set(name, item);
    return this.#batcher.push(item, nowMs) ?? 'queued';
  }
}

function optionsOf(settings: Map<string, string>) {
  const policy: QueuePolicy = {
    maxQueueSize: Number(settings.get('size') ?? 100),
    defaultTimeoutMs: Number(settings.get('timeout') ?? Infinity),
    timeoutAction: settings.get('action') === 'delay' ? 'delay' : 'reject',
    allowTimeoutOverride: settings.has('override'),
  };
  return {
    maxBatchRows: Number(settings.get('max') ?? 1),
    preferredRows: settings.get('preferred')?.split(',').map(Number) ?? [],
    maxQueueDelayMs: Number(settings.get('delay') ?? 0),
    preserveOrdering: false,
    levels: Array.from({ length: Number(settings.get('levels') ?? 1) }, () => policy),
    defaultLevel: Number(settings.get('default') ?? 1),
  };
}

describe('Batcher transcripts', () => {
  replayTranscripts(folder, () => new Replayer());
});
