import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadLaneWidth } from '../backends/batching/core-tokens.ts';
import type { BackendProcessOptions } from '../backends/host/process-options.ts';
import type { BackendSettings } from '../config/load-fleet-settings.ts';
import type { Settings } from '../config/settings.ts';
import { checkSourceOptions, type SourceOptions } from '../fleet/sources/open-sources.ts';
import { softwareVersion } from './software-version.ts';

/** Threads of one run beyond which models of usual size gain little. */
const mostThreads = 4;

/** A backend that is apart serves one model at a time, and its memory comes on top of the budget while it is there. */
const apartShare = 4;

/** What a backend process is told: its share of this host, and the settings that concern it. */
export function backendOptions(settings: Settings, id: string, socketDir: string): BackendProcessOptions {
  const isApart = !/^b\d+$/.test(id);
  return {
    id,
    address: `unix:${join(socketDir, `${id}.sock`)}`,
    software: softwareVersion,
    budgetBytes: Math.floor(settings.memoryBytes / (isApart ? apartShare : settings.backends)),
    cores: settings.cores,
    threads: settings.threadsPerRun === 0 ? Math.min(mostThreads, settings.cores) : settings.threadsPerRun,
    threadsAreGiven: settings.threadsPerRun !== 0,
    loads: settings.loadConcurrency === 0 ? loadLaneWidth(settings.cores) : settings.loadConcurrency,
    defaultMaxBatchSize: settings.defaultMaxBatchSize,
    defaultMaxQueueSize: settings.maxQueueSize,
    bodyMemoryBytes: settings.bodyMemoryBytes,
    graphCacheDir: settings.graphCacheBytes === 0 ? '' : join(settings.stateDir, 'graphs'),
    graphCacheBytes: settings.graphCacheBytes,
    sources: sourceOptions(settings, id),
    provider: settings.provider,
    providerDevice: settings.providerDevice,
    providerMemoryBytes: settings.providerMemoryBytes,
    providerFallback: settings.providerFallback,
    onnxruntimeLib: settings.onnxruntimeLib,
    drainTimeoutMs: settings.drainTimeoutMs,
    logLevel: settings.logLevel,
    logFormat: settings.logFormat,
  };
}

/** Each backend process has a cache of its own: what one of them needs another would give up. */
function sourceOptions(settings: Settings, id: string): SourceOptions {
  const options: SourceOptions = {
    allow: settings.sourceAllow,
    addresses: settings.sourceAddresses,
    cacheDir: join(settings.stateDir, 'fetched', id),
    cacheBytes: settings.sourceCacheBytes,
    concurrency: settings.sourceConcurrency,
    silenceMs: settings.sourceTimeoutMs,
    s3: { endpoint: settings.s3Endpoint, region: settings.s3Region, pathStyle: settings.s3PathStyle },
  };
  // Here it is one clear word at the start, in the backend it would be a process that never comes up.
  checkSourceOptions(options);
  return options;
}

/** How much of the time for a drain routers have to move copies; the rest is for the requests that are still in it. */
const handOverShare = 0.8;

/** What the one backend process of `skein backend` is told: all of this host's budget, and what guards its links. */
export function fleetBackendOptions(settings: BackendSettings, id: string, address: string): BackendProcessOptions {
  return {
    ...backendOptions(settings, id, ''),
    address,
    budgetBytes: settings.memoryBytes,
    fleet: {
      modelDirs: settings.models,
      handOverMs: Math.floor(handOverShare * settings.drainTimeoutMs),
      tokenFile: settings.linkToken,
      caFile: settings.linkCa,
      certFile: settings.linkCert,
      keyFile: settings.linkKey,
    },
  };
}

/** The command line of a backend process, from sources in a clone and compiled in a package. */
export function backendProgram(): string[] {
  const source = fileURLToPath(new URL('./backend-process.ts', import.meta.url));
  const program = existsSync(source) ? source : source.replace(/\.ts$/, '.js');
  // A small nursery keeps the process small; with 1 MiB, or code made for size, a small request costs half as much again.
  return [process.execPath, '--max-semi-space-size=4', program];
}
