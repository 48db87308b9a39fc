import { type FleetPicture, type PlannedModel, plan } from '../../src/router/placement/plan.ts';
import { planRebalance } from '../../src/router/placement/rebalance.ts';
import type { PlacementBackend } from '../../src/router/placement/snapshot.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import type { Bar, Bench, BenchPart, PartResult } from '../frame/bench-part.ts';
import { figureText } from '../frame/figure-text.ts';
import { spreadOf } from '../frame/spread.ts';

const backends = 1_000;
const models = 1_000_000;
const copyBytes = 14e6;

export const replan: BenchPart = {
  title: 'Planning anew after a join and a leave',
  method: `${figureText(models)} models on ${figureText(backends)} backends, Zipf-like demand, one core; the moves of a plan over those that must be. A plan is of the code that decides in earnest, from a picture that is there.`,
  run(bench: Bench): Promise<PartResult> {
    const { settled, orphans } = picture();
    const rounds = Array.from({ length: bench.rounds }, (_, round) => {
      bench.say(`replan, round ${round + 1} of ${bench.rounds}`);
      return {
        leave: timed(() => plan({ ...settled, backends: settled.backends.slice(1) }).moves.length / orphans),
        join: timed(() => planRebalance(withNewcomer(settled)).length / (models / (backends + 1))),
      };
    });
    const figures = (of: 'leave' | 'join', what: 'seconds' | 'ratio') => spreadOf(rounds.map((one) => one[of][what]));
    const bar = (what: string, limit: number, unit: string, figure: Bar['figure']): Bar => ({
      ...{ what, limit, unit, figure },
      sense: 'at most',
    });
    return Promise.resolve({
      bars: [
        bar('planning after a leave', 2, 's', figures('leave', 'seconds')),
        bar('planning after a join', 2, 's', figures('join', 'seconds')),
        bar('moves after a leave over the copies that it held', 1.1, '', figures('leave', 'ratio')),
        bar('moves after a join over its fair share', 1.1, '', figures('join', 'ratio')),
      ],
      tables: [],
      notes: [],
    });
  },
};

function timed(work: () => number): { readonly seconds: number; readonly ratio: number } {
  const fromMs = performance.now();
  const ratio = work();
  return { seconds: (performance.now() - fromMs) / 1_000, ratio };
}

/** Every model on a backend drawn for it; orphans are those of the first. */
function picture(): { readonly settled: FleetPicture; readonly orphans: number } {
  const random = seededRandom(1);
  const used = new Float64Array(backends);
  const demanded = new Float64Array(backends);
  const placed = Array.from({ length: models }, (_, at): PlannedModel => {
    const home = Math.floor(random() * backends);
    const demand = (1e6 / (1 + Math.floor(random() * models))) * copyBytes;
    used[home]! += copyBytes;
    demanded[home]! += demand;
    const facts = { name: `team/model-${at}`, version: 1, expectedBytes: copyBytes, demand, engine: 'onnx' };
    return { ...facts, loadMs: 30 + (at % 50), copies: [{ backendId: `backend-${home}`, state: 'ready' }] };
  });
  const fleet = Array.from(used, (usedBytes, at) => backendOf(at, usedBytes, demanded[at]!));
  return { settled: { backends: fleet, models: placed }, orphans: used[0]! / copyBytes };
}

function withNewcomer({ backends: fleet, models: placed }: FleetPicture): FleetPicture {
  return { backends: [...fleet, backendOf(backends, 0, 0)], models: placed };
}

function backendOf(at: number, usedBytes: number, assignedDemand: number): PlacementBackend {
  const usableBytes = (1.3 * copyBytes * models) / backends;
  const plain = { engines: ['onnx'], evictionPrice: 0, state: 'ready' as const, labels: {} };
  return { id: `backend-${at}`, usableBytes, usedBytes, assignedDemand, ...plain };
}
