import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { SkeinAdapter } from '../adapters/skein/skein-adapter.ts';
import { type ChildEnd, Supervisor } from '../backends/host/supervisor.ts';
import { processEnvironment } from '../config/environment.ts';
import type { BackendSettings } from '../config/load-fleet-settings.ts';
import type { BackendMember, MemberRecord } from '../fleet/member-record.ts';
import { RepositoryPublisher } from '../fleet/publish-repository.ts';
import type { Announcement, Registry } from '../fleet/registry.ts';
import { scanPart, scanRepository } from '../fleet/repository/scan.ts';
import { RepositoryWatch } from '../fleet/repository/watch-repository.ts';
import { SkeinError } from '../protocol/errors.ts';
import { type LinkAddress, parseLinkAddress, writeLinkAddress } from '../protocol/link/link-address.ts';
import { errandName } from '../protocol/link/link-tls.ts';
import { backendProgram, fleetBackendOptions } from './backend-plan.ts';
import { listOf, parseLabels } from './comma-list.ts';
import { openRegistry } from './fleet-registry.ts';
import { checkCertificate, guardFiles, readLinkGuard } from './link-guard.ts';
import { createLog } from './log.ts';
import { memberIdForm, memberTtlMs } from './member-name.ts';
import { prepareState } from './prepare-state.ts';
import { softwareVersion } from './software-version.ts';
import { untilSignalled } from './until-signalled.ts';
import { reachableHost } from './url-host.ts';

type TcpAddress = Extract<LinkAddress, { kind: 'tcp' }>;
type Guard = ReturnType<typeof readLinkGuard>;

/** A model that is being copied into a directory is looked at twice before it is told of. */
const settleMs = 1_000;
const startWithinMs = 30_000;
/** Whoever takes a connection and says nothing is somebody else. */
const helloWithinMs = 2_000;
/** A process that ends so often before it serves will not serve. */
const mostEndsAtStart = 5;

/** `skein backend`: one backend of a fleet, its process and what watches over it. Resolves when it has ended. */
export async function runBackend(settings: BackendSettings): Promise<void> {
  const signalled = untilSignalled();
  const listen = await freeAddress(settings.listen);
  let member = memberOf(settings, listen);
  const log = createLog({ level: settings.logLevel, format: settings.logFormat }).child({ backend: member.id });
  await prepareState(settings.stateDir);
  const guard = readLinkGuard(guardFiles(settings));
  checkKey(member.id, guard, settings);
  checkCertificate(member.id, guard.tls, settings.linkCert);
  let ends = 0;
  let tellEnd: (end: ChildEnd) => void = () => {};
  const supervisor = superviseProcess(settings, member.id, listen, log, (end) => {
    ends++;
    tellEnd(end);
  });
  const registry = openRegistry(settings, log);
  try {
    await untilServing(member, listen, guard, () => ends);
    const announced = await announce(registry, member, guard, log);
    tellEnd = (end) => {
      const { kind, ...how } = end;
      member = { ...member, ends: { count: ends, ...how } };
      void announced.update(member).catch(() => {}); // away: nobody is told how it ended
    };
    const publishing = await publishModels(settings, registry, log);
    process.stdout.write(
      `${JSON.stringify({ ready: true, id: member.id, address: member.address, pid: process.pid, version: softwareVersion })}\n`,
    );
    await signalled;
    publishing.close();
    await leave(settings, supervisor, announced, member, log);
  } finally {
    await supervisor.stopAll();
    await registry.close();
  }
}

/** Routers would refuse it: it is told at once, and not by silence. */
function checkKey(id: string, { secret }: Guard, { linkToken }: BackendSettings): void {
  if (secret === undefined || secret.keyOf(id) !== undefined) return;
  const reason = `the token in ${linkToken} is another backend's, not that of '${id}'`;
  throw new SkeinError('settings_conflict', { reason });
}

/** Told to everybody first, so that nothing new comes; then its copies move, then it ends. */
async function leave(
  { drainTimeoutMs }: BackendSettings,
  supervisor: Supervisor,
  announced: Announcement,
  member: BackendMember,
  log: Logger,
): Promise<void> {
  log.info('leaving: copies move to other backends first');
  const deadline = setTimeout(() => process.exit(1), drainTimeoutMs + 5_000);
  await Promise.race([announced.update({ ...member, leaving: true }).catch(() => {}), sleep(1_000)]);
  await supervisor.stopAll();
  await Promise.race([announced.withdraw(), sleep(1_000)]);
  clearTimeout(deadline);
}

function superviseProcess(
  settings: BackendSettings,
  id: string,
  listen: TcpAddress,
  log: Logger,
  onEnd: (end: ChildEnd) => void,
): Supervisor {
  const supervisor = new Supervisor({
    program: backendProgram(),
    env: processEnvironment(),
    memoryBytes: settings.memoryBytes,
    cores: settings.cores,
    onEnd: (_id, end) => onEnd(end),
    log: (message, facts) => log.warn(facts, message),
  });
  process.on('exit', () => supervisor.killAll());
  supervisor.start(fleetBackendOptions(settings, id, writeLinkAddress(listen)));
  return supervisor;
}

function memberOf(settings: BackendSettings, listen: TcpAddress): BackendMember {
  const reachable = { ...listen, host: reachableHost(listen.host) };
  const address = settings.advertise === '' ? writeLinkAddress(reachable) : settings.advertise;
  parseLinkAddress(address);
  const id = settings.id === '' ? `${reachable.host}-${listen.port}` : settings.id;
  if (!memberIdForm.test(id)) {
    const expected = 'letters, digits, dots, dashes and underscores';
    throw new SkeinError('setting_invalid', { origin: '--id', value: `'${id}'`, expected });
  }
  const labels = parseLabels(settings.labels);
  if (labels === undefined) {
    const expected = 'NAME=VALUE, parted by commas';
    throw new SkeinError('setting_invalid', { origin: '--labels', value: `'${settings.labels}'`, expected });
  }
  return {
    role: 'backend',
    id,
    instance: randomUUID(),
    software: softwareVersion,
    address,
    engines: [settings.engine],
    labels,
    taints: listOf(settings.taints),
    zone: settings.zone,
    leaving: false,
    ends: { count: 0 },
  };
}

async function announce(registry: Registry, member: BackendMember, guard: Guard, log: Logger): Promise<Announcement> {
  return registry.announce(member, {
    ttlMs: memberTtlMs,
    isAlive: (existing) => isAlive(existing, member, guard),
    onTaken: (by) => {
      if (by === undefined) log.info('this backend has its name again');
      else log.error({ by }, 'another backend uses the name of this one; give one of them another --id');
    },
  });
}

/** Asked over the link itself: a name belongs to whoever answers to it. This process holds its own port already. */
async function isAlive(existing: MemberRecord, { id, address }: BackendMember, guard: Guard): Promise<boolean> {
  if (existing.role !== 'backend' || existing.address === address) return false;
  return (await callBackend(id, existing.address, guard, 2_000)) === undefined;
}

/** Opens a link to the backend of that name and closes it; resolves with why there is none. */
async function callBackend(
  id: string,
  address: string,
  { secret, tls }: Guard,
  withinMs: number,
): Promise<string | undefined> {
  const self = { id: errandName(id, 'asks'), software: softwareVersion, ...(secret && { secret }) };
  const asker = new SkeinAdapter(self, tls);
  const nobody = { onState: () => {}, onStalled: () => {}, onLost: () => {} };
  const late = AbortSignal.timeout(withinMs);
  try {
    const target = { id, kind: 'skein', address, engines: [] };
    const session = await asker.connect(target, nobody, late);
    session.close('it was only asked whether it lives');
    return undefined;
  } catch (fault) {
    return late.aborted ? `no hello within ${withinMs} ms` : (fault as Error).message;
  }
}

async function publishModels(settings: BackendSettings, registry: Registry, log: Logger) {
  const publisher = new RepositoryPublisher(registry, (message, facts) => log.warn(facts, message));
  const watches: RepositoryWatch[] = [];
  for (const path of settings.models) {
    const followOutside = settings.allowOutsideLinks;
    const watch = new RepositoryWatch({
      scan: (previous) => scanRepository(path, previous, { followOutside, nowMs: Date.now() }),
      parts: {
        root: path,
        scan: (previous, part) => scanPart(path, previous, part, { followOutside, nowMs: Date.now() }),
      },
      pollMs: settings.repositoryPollMs,
      settleMs,
      onChange: ({ added, changed }) => publisher.publish([...added, ...changed], Date.now()),
      onNotice: ({ name, reason }) => log.warn({ model: name, reason }, 'repository entry not served'),
    });
    publisher.publish((await watch.start()).models.values());
    watches.push(watch);
  }
  return {
    close: () => {
      for (const watch of watches) watch.close();
      publisher.close();
    },
  };
}

/** The address with a port that is free now; rejects where somebody listens there already. */
async function freeAddress(text: string): Promise<TcpAddress> {
  const address = parseLinkAddress(text);
  if (address.kind !== 'tcp') {
    const expected = 'tcp://HOST:PORT, which routers of other hosts reach';
    throw new SkeinError('setting_invalid', { origin: '--listen', value: `'${text}'`, expected });
  }
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ host: address.host, port: address.port }, resolve);
    });
  } catch (fault) {
    const reason = `nothing can listen on ${text}: ${(fault as Error).message}`;
    throw new SkeinError('settings_conflict', { reason }, { cause: fault });
  }
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return { ...address, port };
}

/** Its own process answers at that port: somebody else may have taken it since it was found free. */
async function untilServing(
  { id }: BackendMember,
  { port, host }: TcpAddress,
  guard: Guard,
  ends: () => number,
): Promise<void> {
  const place = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const address = writeLinkAddress({ kind: 'tcp', host: place, port });
  let reason = 'nothing answers there';
  for (const untilMs = performance.now() + startWithinMs; performance.now() < untilMs; await sleep(20)) {
    const fault = await callBackend(id, address, guard, helloWithinMs);
    if (fault === undefined) return;
    reason = fault;
    if (ends() >= mostEndsAtStart) break;
  }
  throw new SkeinError('settings_conflict', {
    reason: `backend '${id}' does not answer at ${address}, its process ended ${ends()} times; its log says why (last heard: ${reason})`,
  });
}
