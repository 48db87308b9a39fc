import { simulate } from '../../simulation/simulation.ts';
import type { CommandConsole } from '../command-console.ts';
import { wantsJson } from '../print-json.ts';
import { simPlan } from '../sim/sim-plan.ts';
import { simText } from '../sim/sim-text.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const plan = simPlan(call, console.cwd);
  const figures = simulate(plan.shape, plan.trace);
  console.out(wantsJson(call) ? `${JSON.stringify(figures)}\n` : simText(plan, figures));
}
