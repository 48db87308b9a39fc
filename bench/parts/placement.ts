import ConsistentHash from 'consistent-hash';
import { preferenceOrder } from '../../src/router/placement/rendezvous.ts';
import type { BenchPart, ResultRow } from '../frame/bench-part.ts';
import { figureText } from '../frame/figure-text.ts';
import { type Spread, spreadOf } from '../frame/spread.ts';

const models = Array.from({ length: 10_000 }, (_, i) => `model-${i}`);
const ten = Array.from({ length: 10 }, (_, i) => `backend-${i}`);
const ownScheme = 'weighted rendezvous (Skein)';

type Place = (model: string) => string;
type Scheme = (members: readonly string[]) => Place;

export const placement: BenchPart = {
  title: 'Placement against npm’s `consistent-hash`',
  method: `${figureText(models.length)} models on ${ten.length} backends; counts, no times. A ring of \`consistent-hash\` draws its points with Math.random: every round makes new ones, while rendezvous always says the same.`,
  run(bench) {
    const peer = rowOf('consistent-hash (ring)', ringScheme, bench.rounds);
    const own = rowOf(ownScheme, rendezvousScheme, 1);
    const columns = [
      'two routers agree',
      'fullest over mean',
      'moved on join (1/11 must)',
      'moved on leave (1/10 must)',
      'needlessly moved on leave',
    ];
    return Promise.resolve({ bars: [], tables: [{ title: 'scheme', columns, rows: [peer, own] }], notes: [] });
  },
};

function rowOf(name: string, scheme: Scheme, rounds: number): ResultRow {
  const all = Array.from({ length: rounds }, () => countsOf(scheme));
  const percent = (of: (counts: Counts) => number): string => `${spreadPercent(spreadOf(all.map(of)))}`;
  const fullest = spreadOf(all.map((counts) => counts.maxOverMean));
  return {
    name,
    cells: [
      percent((counts) => counts.agreement),
      fullest,
      percent((counts) => counts.movedOnJoin),
      percent((counts) => counts.movedOnLeave),
      percent((counts) => counts.needlesslyMoved),
    ],
  };
}

function spreadPercent({ median, min, max }: Spread): string {
  const text = (share: number) => `${(share * 100).toFixed(1)} %`;
  return min === max ? text(median) : `${text(median)} (${text(min)} to ${text(max)})`;
}

interface Counts {
  /** Share of models that two routers with the same members place alike. */
  readonly agreement: number;
  /** Models on the fullest backend over the mean. */
  readonly maxOverMean: number;
  /** Share of models that are elsewhere once an eleventh backend joins, as another router sees it. */
  readonly movedOnJoin: number;
  readonly movedOnLeave: number;
  /** Those of them that were not on the backend that left. */
  readonly needlesslyMoved: number;
}

function countsOf(scheme: Scheme): Counts {
  const [one, other] = [scheme(ten), scheme(ten)];
  const grown = scheme([...ten, 'backend-10']);
  const left = scheme(ten.slice(1));
  const counts = new Map<string, number>();
  for (const model of models) counts.set(one(model), (counts.get(one(model)) ?? 0) + 1);
  return {
    agreement: share((model) => one(model) === other(model)),
    maxOverMean: (Math.max(...counts.values()) * ten.length) / models.length,
    movedOnJoin: share((model) => one(model) !== grown(model)),
    movedOnLeave: share((model) => one(model) !== left(model)),
    needlesslyMoved: share((model) => one(model) !== ten[0] && one(model) !== left(model)),
  };
}

function share(is: (model: string) => boolean): number {
  return models.filter(is).length / models.length;
}

function ringScheme(members: readonly string[]): Place {
  const ring = new ConsistentHash();
  for (const member of members) ring.add(member);
  return (model) => ring.get(model);
}

function rendezvousScheme(members: readonly string[]): Place {
  const weighted = members.map((id) => ({ id, usableBytes: 2 ** 30 }));
  return (model) => preferenceOrder(model, weighted)[0]!.id;
}
