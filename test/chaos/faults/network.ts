/** Links that are cut or slow, of one pair of members or of all to one. */
import { backendIds, memberIds, routerIds } from '../chaos-fleet.ts';
import { disturbanceOf, type Fault } from '../fault.ts';

const cuts = ['silent', 'reset'];
const pairs = routerIds.flatMap((router) => backendIds.map((backend) => `${router}-${backend}`));

export const cutLink: Fault = {
  kind: 'cut-link',
  targets: pairs,
  variants: cuts,
  holdMs: [1_000, 30_000],
  begin: disturbPair,
};

export const slowLink: Fault = {
  kind: 'slow-link',
  targets: pairs,
  variants: ['20 ms', '100 ms', '400 ms'],
  holdMs: [2_000, 20_000],
  begin: disturbPair,
};

async function disturbPair({ fleet }: Parameters<Fault['begin']>[0], target: string, variant: string) {
  const [router, backend] = target.split('-') as [string, string];
  fleet.disturbLink(backend, disturbanceOf(variant), router);
  return async () => fleet.disturbLink(backend, undefined, router);
}

/** From all routers; it keeps its lease in etcd. */
export const cutBackend: Fault = {
  kind: 'cut-backend',
  targets: backendIds,
  variants: cuts,
  holdMs: [1_000, 30_000],
  async begin({ fleet }, target, variant) {
    fleet.disturbLink(target, disturbanceOf(variant));
    return async () => fleet.disturbLink(target, undefined);
  },
};

/** A member loses its lease while its links are well. */
export const cutRegistry: Fault = {
  kind: 'cut-registry',
  targets: memberIds,
  variants: [...cuts, '400 ms'],
  holdMs: [5_000, 25_000],
  async begin({ fleet }, target, variant) {
    fleet.disturbRegistry(target, disturbanceOf(variant));
    return async () => fleet.disturbRegistry(target, undefined);
  },
};
