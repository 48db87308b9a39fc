import { formatDuration } from '../../config/duration.ts';
import type { EventFigures, Quantiles, SimulationFigures, Spread } from '../../simulation/figures.ts';
import { counted, textTable } from '../text-table.ts';
import type { SimPlan } from './sim-plan.ts';

/** What a simulation found, for people. */
export function simText({ shape, trace, traceName }: SimPlan, figures: SimulationFigures): string {
  const { loads } = figures;
  const allLoads = loads.request + loads.scale + loads.move;
  const lines: [string, string][] = [
    ['fleet', `${counted(shape.nodes, 'node')} of ${shape.places} places, ${counted(shape.routers, 'router')}`],
    [
      'trace',
      `${traceName}: ${counted(figures.requests, 'request')} for ${counted(trace.models.length, 'model')} in ${formatDuration(1000 * figures.virtualSeconds)}`,
    ],
    ['requests', `${figures.answered} answered, ${figures.refused} refused, ${figures.retries} sent again`],
    ['hit rate', `${percent(figures.hitRate)} (${referenceText(figures)})`],
    ['latency', quantileText(figures.latency)],
    ['cold', quantileText(figures.coldLatency)],
    ['loads', `${loads.request} for requests, ${loads.scale} for load, ${loads.move} to move`],
    [
      'surplus',
      `${counted(figures.duplicateLoads, 'duplicate load')} (${percent(figures.duplicateLoads / Math.max(1, allLoads))}), ${counted(figures.trims, 'copy', 'copies')} trimmed`,
    ],
    ['evictions', String(figures.evictions)],
    ['by node', `loads ${spreadText(figures.loadsByNode)}, requests ${spreadText(figures.requestsByNode)}`],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const text = lines.map(([name, what]) => `${name.padEnd(width)}  ${what}\n`).join('');
  return figures.events.length === 0 ? text : `${text}\n${eventTable(figures.events)}`;
}

/** Where all models have room, caches do not differ but by first loads: there is no way to go. */
function referenceText({ references: { lru, bestFixed, way }, evictions }: SimulationFigures): string {
  const text = `LRU ${percent(lru)}, best fixed set ${percent(bestFixed)}`;
  return evictions === 0 || bestFixed - lru < 0.01 ? text : `${text}: ${percent(way)} of the way`;
}

function eventTable(events: readonly EventFigures[]): string {
  return textTable(
    ['EVENT', 'NODE', 'AT', 'COPIES', 'MOVES', 'TOOK'],
    events.map(({ kind, node, atMs, copies, moves, tookMs }) => [
      kind,
      node,
      formatDuration(atMs),
      kind === 'join' ? `${copies.toFixed(0)} fair` : `${copies} held`,
      String(moves),
      moves === 0 ? '-' : formatDuration(tookMs),
    ]),
  );
}

function quantileText({ p50, p90, p99, p999, max }: Quantiles): string {
  if (max === 0) return 'none';
  const [a, b, c, d, e] = [p50, p90, p99, p999, max].map((ms) => formatDuration(ms < 10 ? ms : Math.round(ms)));
  return `half within ${a}, 90 % ${b}, 99 % ${c}, 99.9 % ${d}, all ${e}`;
}

function spreadText({ min, max }: Spread): string {
  const times = min > 0 ? ` (${(max / min).toFixed(2)} x)` : '';
  return `${min} to ${max}${times}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
