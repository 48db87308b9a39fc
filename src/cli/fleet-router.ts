import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { RouterSettings } from '../config/load-fleet-settings.ts';
import type { MemberRecord, RouterMember } from '../fleet/member-record.ts';
import type { Registry } from '../fleet/registry.ts';
import { notConnectedYet } from '../router/mesh/backend-view.ts';
import { FleetProcesses } from '../router/mesh/fleet-processes.ts';
import { mergeMetrics } from '../router/metrics/merge-metrics.ts';
import { type MetricsServer, serveMetrics } from '../router/metrics/metrics-server.ts';
import { openRegistry } from './fleet-registry.ts';
import { checkCertificate, guardFiles, readLinkGuard } from './link-guard.ts';
import { createLog } from './log.ts';
import { memberTtlMs } from './member-name.ts';
import { prepareState } from './prepare-state.ts';
import { buildRouter, type RouterCore } from './router-core.ts';
import { softwareVersion } from './software-version.ts';
import { untilSignalled } from './until-signalled.ts';
import { reachableHost, urlHost } from './url-host.ts';

/** How long a router waits for the registry and its first backends before it listens: it does in any case. */
const readyWithinMs = 5_000;

/** `skein router`: one router of a fleet. Resolves when it has ended. */
export async function runRouter(settings: RouterSettings): Promise<void> {
  const signalled = untilSignalled();
  const log = createLog({ level: settings.logLevel, format: settings.logFormat });
  await prepareState(settings.stateDir);
  const guard = readLinkGuard(guardFiles(settings));
  const id = settings.id === '' ? `${hostname()}-${settings.httpPort || randomUUID().slice(0, 8)}` : settings.id;
  checkCertificate(id, guard.tls, settings.linkCert);
  const registry = openRegistry(settings, log);
  const fleet = { registry, rebalancePerSecond: settings.rebalancePerSecond, ...guard };
  const core = await buildRouter(settings, id, { processes: new FleetProcesses(registry), log, fleet });
  // Before that it would answer that no model is known: who connects again is better served by another router.
  await untilKnown(registry, core);
  const metrics = await listen(core, settings);
  const at = (port: number) => `http://${urlHost(settings.host)}:${port}`;
  const url = settings.advertiseUrl || `http://${urlHost(reachableHost(settings.host))}:${core.server.port}`;
  const announced = await announce(
    registry,
    { role: 'router', id, instance: randomUUID(), software: softwareVersion, url },
    log,
  );
  const urls = { http: at(core.server.port), grpc: at(core.grpcServer.port), metrics: at(metrics.port) };
  process.stdout.write(`${JSON.stringify({ ready: true, ...urls, id, pid: process.pid, version: softwareVersion })}\n`);
  await signalled;
  log.info('stopping: no new requests, those under way are answered');
  const deadline = setTimeout(() => process.exit(1), settings.drainTimeoutMs + 5_000);
  // The others take over its models before it stops deciding about them.
  await announced.withdraw();
  await core.stop(settings.drainTimeoutMs);
  await metrics.close();
  await registry.close();
  clearTimeout(deadline);
}

async function listen(core: RouterCore, settings: RouterSettings): Promise<MetricsServer> {
  const { httpPort, grpcPort, metricsPort, host } = settings;
  await core.server.listen({ port: httpPort, host });
  await core.grpcServer.listen({ port: grpcPort, host });
  return serveMetrics({ port: metricsPort, host }, async () =>
    mergeMetrics([await core.metrics.collectRouterMetrics()]),
  );
}

/** The registry has answered, one backend is there, and every other one is connected, too, or was tried. */
async function untilKnown(registry: Registry, { mesh }: RouterCore): Promise<void> {
  const untilMs = performance.now() + readyWithinMs;
  const isKnown = () => {
    if (registry.standing.kind === 'starting') return false;
    const { backends } = mesh.report();
    const tried = backends.filter(({ reason }) => reason !== notConnectedYet).length;
    return backends.some(({ state }) => state === 'up') && tried >= registry.snapshot.backends.size;
  };
  while (performance.now() < untilMs && !isKnown()) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function announce(registry: Registry, member: RouterMember, log: Logger) {
  return registry.announce(member, {
    ttlMs: memberTtlMs,
    isAlive: (existing: MemberRecord) => isAlive(existing, member),
    onTaken: (by) => {
      if (by === undefined) log.info({ id: member.id }, 'this router has its name again');
      else log.error({ id: member.id, by }, 'another router uses the name of this one; give one of them another --id');
    },
  });
}

async function isAlive(existing: MemberRecord, { url }: RouterMember): Promise<boolean> {
  if (existing.role !== 'router' || existing.url === url) return false;
  return fetch(`${existing.url}/v2/health/live`, { signal: AbortSignal.timeout(1_000) }).then(
    () => true,
    () => false,
  );
}
