/** An etcd that ends, stops, forgets everything, or lets go of its leases. */
import { fleetOf, until } from '../../fixtures/fleet-client.ts';
import { backendIds } from '../chaos-fleet.ts';
import type { Fault, World } from '../fault.ts';

export const killEtcd: Fault = {
  kind: 'kill-etcd',
  targets: ['etcd'],
  variants: ['kill -9'],
  holdMs: [1_000, 5_000],
  async begin({ fleet }) {
    await fleet.etcd.kill();
    return () => fleet.etcd.restart();
  },
};

export const pauseEtcd: Fault = {
  kind: 'pause-etcd',
  targets: ['etcd'],
  variants: ['SIGSTOP'],
  holdMs: [1_000, 30_000],
  async begin({ fleet }) {
    process.kill(fleet.etcd.pid, 'SIGSTOP');
    return async () => void process.kill(fleet.etcd.pid, 'SIGCONT');
  },
};

/** For a minute, and a backend is killed meanwhile: its models are loaded by the others, which know of it by their links. */
export const stopEtcd: Fault = {
  kind: 'stop-etcd',
  targets: backendIds,
  variants: ['and kill'],
  holdMs: [60_000, 60_000],
  async begin({ fleet }, target) {
    await fleet.etcd.kill();
    await untilRegistryIs('away', { fleet });
    await fleet.member(target).kill();
    return async () => {
      await fleet.etcd.restart();
      await fleet.start(target);
    };
  },
};

/** The fleet goes on with what it knows until an operator decides. */
export const wipeEtcd: Fault = {
  kind: 'wipe-etcd',
  targets: ['etcd'],
  variants: ['restore'],
  holdMs: [3_000, 10_000],
  async begin({ fleet, say }) {
    const knownBefore = await knownTo({ fleet });
    await fleet.etcd.restart({ wiped: true });
    await untilRegistryIs('emptied', { fleet });
    say('every router says that the store was emptied');
    return async () => {
      const known = await knownTo({ fleet });
      if (known.join() !== knownBefore.join()) throw new Error(`an empty store left the routers ${known} models`);
      const [http] = fleet.routers.values();
      const answer = await fetch(`${http}/fleet/registry`, { method: 'POST', body: '{"decision":"restore"}' });
      if (answer.status !== 200) throw new Error(`restore: ${answer.status} ${await answer.text()}`);
    };
  },
};

/** Again and again, as with an etcd that lost its quorum for a while; the links stay as they are, and count. */
export const loseLeases: Fault = {
  kind: 'lose-leases',
  targets: ['all members'],
  variants: ['once', 'every second'],
  holdMs: [2_000, 15_000],
  async begin({ fleet }, _, variant) {
    const revoke = async () => {
      const { leases = [] } = (await fleet.etcd.call('/lease/leases', {})) as { leases?: { ID: string }[] };
      await Promise.all(leases.map(({ ID }) => fleet.etcd.call('/lease/revoke', { ID })));
    };
    await revoke();
    const timer = variant === 'once' ? undefined : setInterval(() => void revoke().catch(() => {}), 1_000);
    return async () => clearInterval(timer);
  },
};

async function untilRegistryIs(kind: string, { fleet }: Pick<World, 'fleet'>): Promise<void> {
  for (const [id, http] of fleet.routers) {
    await until(`${id} says that the registry is ${kind}`, 30_000, async () =>
      (await fleetOf(http)).registry?.kind === kind ? true : undefined,
    );
  }
}

async function knownTo({ fleet }: Pick<World, 'fleet'>): Promise<number[]> {
  return Promise.all([...fleet.routers.values()].map(async (http) => (await fleetOf(http)).models.known));
}
