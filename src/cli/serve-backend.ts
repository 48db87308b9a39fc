import type { Logger } from 'pino';
import { SkeinAdapter } from '../adapters/skein/skein-adapter.ts';
import type { Engine } from '../backends/engines/engine.ts';
import { Host } from '../backends/host/host.ts';
import { LinkPeers } from '../backends/host/link-peers.ts';
import { LinkServer } from '../backends/host/link-server.ts';
import { ModelLocator } from '../backends/host/model-locator.ts';
import type { BackendProcessOptions } from '../backends/host/process-options.ts';
import { reportToSupervisor, tellOfEnding } from '../backends/host/supervisor-line.ts';
import { processEnvironment } from '../config/environment.ts';
import { noPeers, type PeerFiles } from '../fleet/sources/file-reader.ts';
import { openSources } from '../fleet/sources/open-sources.ts';
import { credentialFor } from '../protocol/link/file-ticket.ts';
import { errandName } from '../protocol/link/link-tls.ts';
import { readLinkGuard } from './link-guard.ts';

/** Holds copies of models for the routers that connect, until it is told to go. Resolves when it listens. */
export async function serveBackend(options: BackendProcessOptions, engine: Engine, log: Logger): Promise<void> {
  const { fleet } = options;
  const guard = fleet === undefined ? {} : readLinkGuard(fleet);
  const peers = fleet === undefined ? noPeers : peersOf(options, guard);
  const fetcher = await openSources(options.sources, processEnvironment(), peers);
  const locator = fleet === undefined ? undefined : new ModelLocator(options.id, fleet.modelDirs);
  const host = new Host({
    ...options,
    ...(fetcher !== undefined && { fetcher }),
    engine,
    ...(locator !== undefined && {
      locate: (spec) => locator.locate(spec),
      find: (path: string) => locator.find(path),
    }),
    trace: (message, facts) => log.debug(facts, message),
    warn: (model, warnings) => {
      for (const warning of warnings) log.warn({ model, ...warning }, 'configuration field has no effect here');
    },
  });
  const server = new LinkServer(
    host,
    (message, facts) => log[fleet === undefined ? 'debug' : 'info'](facts, message),
    guard,
  );
  await server.listen(options.address);
  // TensorFlow is opened by the first load: where it is missing, that load says so.
  const facts = options.engine === 'onnx' ? engine.probe() : { kind: engine.kind };
  log.info({ pid: process.pid, ...facts }, 'backend listens');
  const drain = async () => {
    if (fleet !== undefined) await host.handOver(fleet.handOverMs, () => server.connections);
    await host.drain();
    await server.close();
  };
  reportToSupervisor(host);
  endWithParent();
  endOnSignal(drain, options.drainTimeoutMs);
  if (options.idleExitMs > 0) endWhenIdle(host, drain, options.idleExitMs);
}

/** Other backends of the fleet, who know this one by the token, the ticket or the certificate that guards their links. */
function peersOf(
  { id, software }: BackendProcessOptions,
  { secret, tls }: ReturnType<typeof readLinkGuard>,
): PeerFiles {
  const self = { id: errandName(id, 'fetches'), software };
  return new LinkPeers((peer) => new SkeinAdapter({ ...self, ...credentialFor(peer, secret) }, tls), id);
}

/** Ends a process that has held nothing for a while: its runtime alone is worth hundreds of models' memory to the others. */
function endWhenIdle(host: Host, drain: () => Promise<void>, idleMs: number): void {
  let emptySinceMs = performance.now();
  let isEnding = false;
  const look = () => {
    const nowMs = performance.now();
    if (!host.isEmpty) emptySinceMs = nowMs;
    if (isEnding || nowMs - emptySinceMs < idleMs) return;
    isEnding = true;
    tellOfEnding();
    void drain().then(() => process.exit(0));
  };
  setInterval(look, Math.min(1_000, idleMs / 4)).unref();
}

/** The supervisor holds the other end of standard input: when it is gone, so is the reason to be here. */
function endWithParent(): void {
  process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0));
  process.stdin.resume();
}

/** The first signal drains, a second one or the deadline ends. */
function endOnSignal(drain: () => Promise<void>, timeoutMs: number): void {
  let isDraining = false;
  const onSignal = () => {
    if (isDraining) process.exit(1);
    isDraining = true;
    setTimeout(() => process.exit(1), timeoutMs).unref();
    void drain().then(() => process.exit(0));
  };
  process.on('SIGTERM', onSignal);
  // A terminal sends SIGINT to the whole group: whether to end is the supervisor's decision.
  process.on('SIGINT', () => {});
}
