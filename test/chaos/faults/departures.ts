/** Members that go as an operator wants it: nothing may break, and no answer be cut off. */
import { backendOf, until } from '../../fixtures/fleet-client.ts';
import { backendIds, type ChaosFleet, memberIds, routerIds } from '../chaos-fleet.ts';
import type { Fault } from '../fault.ts';

const emptyWithinMs = 30_000;
/** Of a rolling restart, between two members: long enough for the routers to know the new one. */
const pauseMs = 500;

/** Its copies move, and it is taken back: when it is empty, or with copies on their way. */
export const drainBackend: Fault = {
  kind: 'drain-backend',
  targets: backendIds,
  variants: ['until it is empty', 'half way'],
  holdMs: [500, 10_000],
  async begin({ fleet, say }, target, variant) {
    const http = anyRouter(fleet);
    const held = (await backendOf(http, target)).copies;
    const left = variant === 'half way' ? Math.floor(held / 2) : 0;
    await order(http, target, true);
    await until(`${target} has ${left} copies`, emptyWithinMs, async () =>
      (await backendOf(http, target)).copies <= left ? true : undefined,
    );
    say(`${target} gave up ${held - left} copies`);
    return () => order(anyRouter(fleet), target, false);
  },
};

/** SIGTERM: it leaves cleanly, and a fresh one takes its place. */
export const stopMember: Fault = {
  kind: 'stop-member',
  targets: memberIds,
  variants: ['SIGTERM'],
  holdMs: [1_000, 5_000],
  async begin({ fleet }, target) {
    await leave(fleet, target);
    return () => fleet.start(target);
  },
};

/** As an upgrade does it: each is replaced before the next one goes. */
export const rollingRestart: Fault = {
  kind: 'rolling-restart',
  targets: ['routers', 'backends'],
  variants: ['SIGTERM'],
  holdMs: [12_000, 20_000],
  async begin({ fleet }, target) {
    for (const id of target === 'routers' ? routerIds : backendIds) {
      await leave(fleet, id);
      await fleet.start(id);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    return async () => {};
  },
};

async function leave(fleet: ChaosFleet, id: string): Promise<void> {
  const code = await fleet.member(id).stop();
  if (code !== 0) throw new Error(`${id} ended with ${code} on SIGTERM`);
}

async function order(http: string, backend: string, wanted: boolean): Promise<void> {
  const path = `${http}/fleet/backends/${backend}/drain`;
  const answer = await fetch(path, { method: 'POST', body: JSON.stringify({ wanted }) });
  if (answer.status !== 200) throw new Error(`drain of ${backend}: ${answer.status} ${await answer.text()}`);
}

function anyRouter({ routers }: ChaosFleet): string {
  const [http] = routers.values();
  return http!;
}
