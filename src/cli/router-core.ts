import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { BackendRecord } from '../adapters/adapter.ts';
import { SkeinAdapter } from '../adapters/skein/skein-adapter.ts';
import { V2Adapter } from '../adapters/v2/v2-adapter.ts';
import type { Settings } from '../config/settings.ts';
import type { Registry } from '../fleet/registry.ts';
import { ModelListSource } from '../fleet/repository/model-list-source.ts';
import type { RepositoryNotice } from '../fleet/repository/repository-model.ts';
import { scanPart, scanRepository } from '../fleet/repository/scan.ts';
import { scanFiles } from '../fleet/repository/scan-files.ts';
import { RepositoryWatch, type RepositoryWatchOptions } from '../fleet/repository/watch-repository.ts';
import type { LinkSecret } from '../protocol/link/link-proof.ts';
import type { LinkTls } from '../protocol/link/link-tls.ts';
import { createSharedMemory } from '../protocol/native/shared-memory.ts';
import { SharedBodies } from '../protocol/reads/shared-bodies.ts';
import { LocalMesh, type MeshOptions } from '../router/mesh/local-mesh.ts';
import { OverrideStore } from '../router/mesh/override-store.ts';
import type { ProcessKeeper } from '../router/mesh/process-keeper.ts';
import type { RouterSiblings } from '../router/mesh/router-siblings.ts';
import { RouterMetrics } from '../router/metrics/router-metrics.ts';
import { createGrpcServer } from '../router/servers/grpc/grpc-server.ts';
import { tfservingMethods } from '../router/servers/grpc/tfserving-methods.ts';
import { createRouterServer } from '../router/servers/http-server.ts';
import { OtlpExporter } from '../router/servers/otlp-exporter.ts';
import type { RouterServer } from '../router/servers/router-server.ts';
import { createTracer } from '../router/servers/tracing.ts';
import { listOf } from './comma-list.ts';
import { ListedModels } from './listed-models.ts';
import { ownedDirectory } from './owned-directory.ts';
import { alone, type RouterParty } from './router-news.ts';
import { softwareVersion } from './software-version.ts';

export interface RouterCore {
  readonly mesh: LocalMesh;
  readonly server: RouterServer;
  readonly grpcServer: RouterServer;
  readonly metrics: RouterMetrics;
  readonly lists: ListedModels;
  stop(graceMs: number): Promise<void>;
}

/** A model that is being copied into the repository is looked at twice before it is taken. */
const settleMs = 1_000;

/** For large bodies, which backends read where they are. Further ones are sent. */
const sharedBodyBytes = 32 * 1024 * 1024;

const isolation = { maxConvictions: 10_000, isolateAfterCrashes: 3, crashWindowMs: 10 * 60_000, maxModels: 10_000 };

/** What a router of a fleet has beside: others to agree with, links to other hosts. */
interface FleetParts {
  readonly registry: Registry;
  readonly secret?: LinkSecret;
  readonly tls?: LinkTls;
  /** Copies moved in a second to backends that hold too little. */
  readonly rebalancePerSecond: number;
}

/** What a router process has around it. */
interface RouterSurroundings {
  readonly processes: ProcessKeeper;
  readonly log: Logger;
  /** Backends that it knows from the start. */
  readonly records?: readonly BackendRecord[];
  readonly fleet?: FleetParts;
  readonly party?: RouterParty;
}

/** Everything of one router process but its ports: mesh, repositories, HTTP server. */
export async function buildRouter(
  settings: Settings,
  id: string,
  { processes, log, records = [], fleet, party = alone }: RouterSurroundings,
): Promise<RouterCore> {
  const tell: MeshOptions['log'] = (message, facts, level = 'info') => log[level](facts, message);
  const watches: RepositoryWatch[] = [];
  const workers = Array.from({ length: settings.routerWorkers }, (_, at) => `router-${at + 1}`);
  // The backends of a fleet are on other hosts, as a rule.
  const sharedBodies = fleet === undefined ? openSharedBodies() : undefined;
  const mesh = new LocalMesh({
    version: softwareVersion,
    adapters: [
      new SkeinAdapter(
        { id, software: softwareVersion, ...(fleet?.secret !== undefined && { secret: fleet.secret }) },
        fleet?.tls,
        sharedBodies,
      ),
      new V2Adapter(),
    ],
    processes,
    siblings: siblingsOf(party),
    overrides: new OverrideStore(ownedDirectory(join(settings.stateDir, 'overrides'))),
    pinned: new Set(pinnedModels(settings)),
    routers: { self: id, all: fleet === undefined ? () => workers : () => routersOf(fleet.registry, id) },
    maxIdleMs: settings.maxIdleMs,
    // Nothing joins a machine.
    rebalancePerSecond: fleet?.rebalancePerSecond ?? 0,
    hold: { maxPerModel: settings.holdMaxPerModel, maxTotal: settings.holdMaxTotal, maxHoldMs: settings.holdMaxMs },
    quarantine: { ...isolation, convictionMs: settings.convictionMs },
    requestTimeoutMs: settings.requestTimeoutMs,
    lookFor: async (model) => {
      await Promise.all(watches.map((watch) => watch.look(model)));
    },
    log: tell,
  });
  const desk = fleet && mesh.follow(fleet.registry);
  const list = new ModelListSource(settings.modelConfigFile);
  const listWatch = await watchInto(mesh, { scan: (previous) => list.scan(previous, Date.now()) }, settings, log);
  const lists = new ListedModels(list, listWatch, party);
  watches.push(listWatch);
  for (const scan of await scansOf(settings)) watches.push(await watchInto(mesh, scan, settings, log));
  for (const record of [...records, ...externalRecords(settings)]) mesh.addBackend(record);
  const metrics = new RouterMetrics(mesh, settings.metricsMaxModels);
  const retention = { usedBytes: 0, limitBytes: settings.retryPoolBytes, perRequestBytes: settings.retryBodyBytes };
  const exporter = exporterOf(settings, id, tell);
  const options = { ...settings, version: softwareVersion };
  const tools = {
    desk,
    retention,
    sharedBodies,
    metrics: metrics.front,
    tracer: exporter && createTracer(exporter),
    log: tell,
  };
  const server = await createRouterServer(mesh, options, tools);
  const grpcServer = createGrpcServer(
    mesh,
    options,
    tools,
    tfservingMethods(mesh, { lists, allowRemoteLoad: settings.allowRemoteLoad }),
  );
  const stop = async (graceMs: number) => {
    for (const watch of watches) watch.close();
    await Promise.all([server.close(graceMs), grpcServer.close(graceMs)]);
    mesh.stop();
    await exporter?.close();
  };
  return { mesh, server, grpcServer, metrics, lists, stop };
}

function exporterOf(settings: Settings, id: string, log: MeshOptions['log']): OtlpExporter | undefined {
  if (settings.otlpEndpoint === '') return undefined;
  return new OtlpExporter({
    endpoint: settings.otlpEndpoint,
    version: softwareVersion,
    resource: { 'service.name': 'skein', 'service.version': softwareVersion, 'service.instance.id': id },
    log,
  });
}

/** Undefined where the system has no such memory: bodies are sent. */
function openSharedBodies(): SharedBodies | undefined {
  const memory = createSharedMemory(sharedBodyBytes);
  return memory && new SharedBodies(memory);
}

/** This one counts from its start, before the registry tells of it. */
function routersOf({ snapshot }: Registry, self: string): string[] {
  return [...new Set([...snapshot.routers.keys(), self])].sort();
}

function siblingsOf({ leader, tell }: RouterParty): RouterSiblings {
  return {
    leader: leader && {
      load: (model, override) => leader({ verb: 'load', model, override }),
      unload: (model) => leader({ verb: 'unload', model }),
    },
    announce: (service) => tell({ kind: 'service', service }),
    convict: (conviction) => {
      const told = leader ? leader({ verb: 'convict', conviction }) : tell({ kind: 'conviction', conviction });
      told.catch(() => {}); // it holds here; another process finds out for itself
    },
  };
}

/** Names in `--pin`. */
export function pinnedModels({ pin }: Settings): string[] {
  return listOf(pin);
}

type Scan = Pick<RepositoryWatchOptions, 'scan' | 'parts'>;

/** Each directory is a repository of its own; files named one by one are one together. */
async function scansOf(settings: Settings): Promise<Scan[]> {
  const files: string[] = [];
  const scans: Scan[] = [];
  for (const path of settings.models) {
    const isDirectory = await stat(path).then(
      (found) => found.isDirectory() && !path.endsWith('.savedmodel'),
      () => !/\.(onnx|ort|graphdef)$/.test(path),
    );
    if (!isDirectory) files.push(path);
    else {
      const followOutside = settings.allowOutsideLinks;
      scans.push({
        scan: (previous) => scanRepository(path, previous, { followOutside, nowMs: Date.now() }),
        parts: {
          root: path,
          scan: (previous, part) => scanPart(path, previous, part, { followOutside, nowMs: Date.now() }),
        },
      });
    }
  }
  if (files.length > 0) scans.push({ scan: (previous) => scanFiles(files, previous) });
  return scans;
}

async function watchInto(mesh: LocalMesh, scan: Scan, settings: Settings, log: Logger): Promise<RepositoryWatch> {
  const watch = new RepositoryWatch({
    ...scan,
    pollMs: settings.repositoryPollMs,
    settleMs,
    onChange: (changes) => {
      const names = (models: readonly { name: string }[]) => models.slice(0, 20).map(({ name }) => name);
      log.info(
        { added: names(changes.added), changed: names(changes.changed), removed: changes.removed.slice(0, 20) },
        'repository changed',
      );
      mesh.applyRepository(changes);
    },
    onNotice: (notice: RepositoryNotice) =>
      log.warn({ model: notice.name, reason: notice.reason }, 'repository entry not served'),
  });
  const { models } = await watch.start();
  mesh.applyRepository({ added: [...models.values()], removed: [], changed: [] });
  return watch;
}

function externalRecords(settings: Settings): BackendRecord[] {
  return settings.externalBackends.map(({ name, kind, url, models }) => ({
    id: name,
    kind,
    address: url,
    engines: [],
    models,
  }));
}
