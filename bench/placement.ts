/**
 * Placement against npm's `consistent-hash`: do two routers agree, how even is it, what moves when a backend joins. Counts,
 * no times: the same on every machine, but for the peer's own random numbers.
 */
import ConsistentHash from 'consistent-hash';
import { preferenceOrder } from '../src/router/placement/rendezvous.ts';

export interface PlacementRow {
  readonly scheme: string;
  /** Share of models that two routers with the same members place alike. */
  readonly agreement: number;
  /** Models on the fullest backend over the mean. */
  readonly maxOverMean: number;
  /** Share of models that move when an eleventh backend joins ten; 1/11 must. */
  readonly movedOnJoin: number;
}

const models = Array.from({ length: 10_000 }, (_, i) => `model-${i}`);
const ten = Array.from({ length: 10 }, (_, i) => `backend-${i}`);

type Place = (model: string) => string;

export function benchPlacement(): PlacementRow[] {
  return [
    row('consistent-hash (ring, points by Math.random)', ringPlace),
    row('weighted rendezvous (Skein)', rendezvousPlace),
  ];
}

function row(scheme: string, make: (members: readonly string[]) => Place): PlacementRow {
  const [one, other] = [make(ten), make(ten)];
  const counts = new Map<string, number>();
  for (const model of models) counts.set(one(model), (counts.get(one(model)) ?? 0) + 1);
  const grown = make([...ten, 'backend-10']);
  return {
    scheme,
    agreement: share((model) => one(model) === other(model)),
    maxOverMean: (Math.max(...counts.values()) * ten.length) / models.length,
    movedOnJoin: share((model) => one(model) !== grown(model)),
  };
}

function share(is: (model: string) => boolean): number {
  return models.filter(is).length / models.length;
}

function ringPlace(members: readonly string[]): Place {
  const ring = new ConsistentHash();
  for (const member of members) ring.add(member);
  return (model) => ring.get(model);
}

function rendezvousPlace(members: readonly string[]): Place {
  const weighted = members.map((id) => ({ id, usableBytes: 2 ** 30 }));
  return (model) => preferenceOrder(model, weighted)[0]!.id;
}
