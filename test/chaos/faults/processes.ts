/** Processes that end without a word, or stop for a while. */
import { until } from '../../fixtures/fleet-client.ts';
import { backendIds, routerIds } from '../chaos-fleet.ts';
import type { Fault } from '../fault.ts';

/** A client needs so long to notice that a router is back; answers that it gave up may still be missed. */
const graceMs = 5_000;

export const killBackend: Fault = {
  kind: 'kill-backend',
  targets: backendIds,
  variants: ['kill -9'],
  holdMs: [1_000, 5_000],
  async begin({ fleet }, target) {
    await fleet.member(target).kill();
    return () => fleet.start(target);
  },
};

/** Its supervisor starts it again. */
export const killEngine: Fault = {
  kind: 'kill-engine',
  targets: backendIds,
  variants: ['kill -9'],
  holdMs: [1_000, 2_000],
  async begin({ fleet }, target) {
    const pid = await fleet.enginePid(target);
    process.kill(pid, 'SIGKILL');
    return async () => {
      await until(`${target} has a new engine`, 20_000, async () =>
        (await fleet.enginePid(target)) === pid ? undefined : true,
      );
    };
  },
};

export const killRouter: Fault = {
  kind: 'kill-router',
  targets: routerIds,
  variants: ['kill -9'],
  holdMs: [1_000, 5_000],
  async begin({ fleet, ledger }, target) {
    const begun = ledger.allow('begun', target, performance.now());
    await fleet.member(target).kill();
    return async () => {
      begun.untilMs = performance.now();
      await fleet.start(target);
    };
  },
};

export const pauseBackend: Fault = {
  kind: 'pause-backend',
  targets: backendIds,
  variants: ['all of it', 'its engine'],
  holdMs: [1_000, 30_000],
  async begin({ fleet }, target, variant) {
    const pid = await fleet.enginePid(target);
    const signal = (name: NodeJS.Signals) =>
      variant === 'its engine' ? process.kill(pid, name) : fleet.member(target).signal(name);
    signal('SIGSTOP');
    return async () => void signal('SIGCONT');
  },
};

export const pauseRouter: Fault = {
  kind: 'pause-router',
  targets: routerIds,
  variants: ['all of it'],
  holdMs: [1_000, 30_000],
  async begin({ fleet, ledger }, target) {
    const givenUp = ledger.allow('given up', target, performance.now());
    fleet.member(target).signal('SIGSTOP');
    return async () => {
      fleet.member(target).signal('SIGCONT');
      givenUp.untilMs = performance.now() + graceMs;
    };
  },
};
