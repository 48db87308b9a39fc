import { CopyScaling } from '../../../src/router/scaling/copy-scaling.ts';
import { defaultScalingOptions } from '../../../src/router/scaling/options.ts';
import {
  type CopyDecision,
  type CopyLimits,
  noCopyLimits,
  type ScaledModel,
} from '../../../src/router/scaling/snapshot.ts';

/**
 * Plays a scenario on a virtual clock and writes it down again with every change of the decision under the line that led
 * to it. One command a line:
 *
 *   fleet backends=3 routers=1         what is there
 *   copies ready=1 coming=0 slots=2    what the model has
 *   limits min=0 max=0 idle=0s pinned  what its operator wants
 *   obey on                            from now on every wish is granted: copies are ready after 500 ms
 *   for 10s load=2 held=0 rate=20      so long like this
 *
 * Lines that begin with # are comments, those that begin with > are what is decided.
 */
export function playTranscript(text: string): string {
  const scenario = new Scenario();
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('>')) continue;
    lines.push(line, ...scenario.command(line));
  }
  return lines.join('\n');
}

class Scenario {
  readonly #scaling = new CopyScaling();
  #nowMs = 0;
  #backends = 3;
  #routers = 1;
  #ready = 0;
  #coming: number[] = [];
  #slots = 1;
  #obeys = false;
  #limits: CopyLimits = noCopyLimits;
  #shown = '';
  #arrivals = 0;

  command(line: string): string[] {
    const [verb, ...words] = line.split(' ');
    const given = new Map(words.map((word) => word.split('=') as [string, string | undefined]));
    const number = (name: string, otherwise: number) => Number(given.get(name) ?? otherwise);
    switch (verb) {
      case 'fleet':
        this.#backends = number('backends', this.#backends);
        this.#routers = number('routers', this.#routers);
        return [];
      case 'copies':
        this.#ready = number('ready', this.#ready);
        this.#coming = Array.from({ length: number('coming', 0) }, () => Infinity);
        this.#slots = number('slots', this.#slots);
        return [];
      case 'limits':
        this.#limits = {
          minCopies: number('min', 0),
          maxCopies: number('max', 0),
          maxIdleMs: 1000 * Number.parseFloat(given.get('idle') ?? '0'),
          pinned: given.has('pinned'),
        };
        return [];
      case 'obey':
        this.#obeys = true;
        return [];
      case 'for':
        return this.#pass(1000 * Number.parseFloat(words[0]!), number('load', 0), number('held', 0), number('rate', 0));
      case '':
      case '#':
        return [];
      default:
        throw new Error(`no such command: ${line}`);
    }
  }

  #pass(ms: number, inFlight: number, held: number, perSecond: number): string[] {
    const { tickMs } = defaultScalingOptions;
    const shown: string[] = [];
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; ) {
      this.#nowMs += tickMs;
      this.#arrivals += (perSecond * tickMs) / 1000;
      const arrivals = Math.floor(this.#arrivals);
      this.#arrivals -= arrivals;
      this.#ready += this.#coming.filter((atMs) => atMs <= this.#nowMs).length;
      this.#coming = this.#coming.filter((atMs) => atMs > this.#nowMs);
      const decision = this.#decide({ inFlight, held, arrivals });
      if (this.#obeys) this.#grant(decision.wanted);
      const sentence = `wants ${decision.wanted} (${decision.mode}${decision.urgent ? ', urgent' : ''})`;
      if (sentence === this.#shown) continue;
      this.#shown = sentence;
      const { stableLoad, panicLoad, target } = decision;
      const figures = [stableLoad, panicLoad, target].map((figure) => figure.toFixed(1)).join(' ');
      shown.push(`> ${(this.#nowMs / 1000).toFixed(2)}s has ${this.#ready}, ${sentence}  ${figures}`);
    }
    return shown;
  }

  #decide(load: Pick<ScaledModel, 'inFlight' | 'held' | 'arrivals'>): CopyDecision {
    const model: ScaledModel = {
      name: 'm',
      readyCopies: this.#ready,
      comingCopies: this.#coming.length,
      slotsPerCopy: this.#slots,
      limits: this.#limits,
      ...load,
    };
    const fleet = { backends: this.#backends, hosts: this.#backends, routers: this.#routers };
    return this.#scaling.tick({ models: [model], ...fleet }, this.#nowMs)[0]!;
  }

  #grant(wanted: number): void {
    while (this.#ready + this.#coming.length < wanted) this.#coming.push(this.#nowMs + 500);
    if (this.#coming.length === 0) this.#ready = Math.min(this.#ready, wanted);
  }
}
