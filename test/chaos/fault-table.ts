import type { Fault } from './fault.ts';
import { jumpClock } from './faults/clock.ts';
import { drainBackend, rollingRestart, stopMember } from './faults/departures.ts';
import { corruptCache, corruptModels, fullDisk } from './faults/files.ts';
import { cutBackend, cutLink, cutRegistry, slowLink } from './faults/network.ts';
import { killBackend, killEngine, killRouter, pauseBackend, pauseRouter } from './faults/processes.ts';
import { killEtcd, loseLeases, pauseEtcd, stopEtcd, wipeEtcd } from './faults/registry.ts';

export const faultTable: readonly Fault[] = [
  killBackend,
  killEngine,
  killRouter,
  killEtcd,
  stopMember,
  rollingRestart,
  drainBackend,
  pauseBackend,
  pauseRouter,
  pauseEtcd,
  cutLink,
  cutBackend,
  slowLink,
  cutRegistry,
  loseLeases,
  stopEtcd,
  wipeEtcd,
  fullDisk,
  corruptModels,
  corruptCache,
  jumpClock,
];
