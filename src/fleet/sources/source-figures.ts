import type { SourceState } from '../../protocol/link/messages.ts';

/** Totals since the process began, and the cache's state: what metrics tell of sources. */
export type SourceFigures = SourceState;

type CacheFigure = 'cacheBytes' | 'cacheLimitBytes' | 'cacheFiles';

export type SourceCounts = { -readonly [Name in Exclude<keyof SourceFigures, CacheFigure>]-?: number };

export function zeroCounts(): SourceCounts {
  return {
    hits: 0,
    fetched: 0,
    fetchedBytes: 0,
    fromPeers: 0,
    resumed: 0,
    evicted: 0,
    offeredBytes: 0,
    failed: 0,
    mismatched: 0,
    underWay: 0,
  };
}
