/** Asks a router that was given up how it stands with the model: whether the request waited for a load, or in a copy. */
import { fleetOf, modelOf } from '../fixtures/fleet-client.ts';

export class Witness {
  readonly #routers: ReadonlyMap<string, string>;
  #isAsking = false;

  constructor(routers: ReadonlyMap<string, string>) {
    this.#routers = routers;
  }

  /** '' while somebody else asks: a router in trouble has enough to do. Never rejects. */
  async ask(router: string, model: string): Promise<string> {
    if (this.#isAsking) return '';
    this.#isAsking = true;
    const fromMs = performance.now();
    try {
      const http = this.#routers.get(router)!;
      const [{ held, inFlight, backends }, { state, copies }] = await Promise.all([
        fleetOf(http),
        modelOf(http, model),
      ]);
      const down = backends
        .filter((backend) => backend.state !== 'up')
        .map((backend) => `${backend.id} ${backend.state}`);
      const where = copies.map((copy) => `${copy.phase} on ${copy.backend} with ${copy.inFlight} in flight`);
      const asked = `${router}, asked for ${Math.round(performance.now() - fromMs)} ms`;
      return `${asked}: ${[`${model} ${state}`, ...where, ...down].join(', ')}; ${held} held, ${inFlight} in flight`;
    } catch (fault) {
      return `${router} could not be asked: ${String(fault)}`;
    } finally {
      this.#isAsking = false;
    }
  }
}
