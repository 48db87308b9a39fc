/** Three routers, four backends and an etcd as processes; each connection between two of them goes through a proxy. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EtcdProcess, freePort, startEtcd } from '../fixtures/etcd-process.ts';
import { fleetOf, until } from '../fixtures/fleet-client.ts';
import { type MemberProcess, startMember } from '../fixtures/fleet-processes.ts';
import { SmallDisk } from './small-disk.ts';
import { type Disturbance, TcpProxy } from './tcp-proxy.ts';

export const routerIds = ['r1', 'r2', 'r3'];
export const backendIds = ['b1', 'b2', 'b3', 'b4'];
export const memberIds = [...routerIds, ...backendIds];

/** Room for the state of a backend and little more: it is to be filled in a moment. */
const diskBytes = 64 * 2 ** 20;
const clockProgram = join(import.meta.dirname, 'jumping-clock.ts');

interface Cleanup {
  after(end: () => unknown): void;
}

/** What is fixed about a member, however often it is started. */
interface Seat {
  readonly args: readonly string[];
  readonly registry: TcpProxy;
  /** Between the routers and a backend. */
  readonly link: TcpProxy | undefined;
  readonly clockFile: string;
  readonly disk: SmallDisk | undefined;
}

export interface FleetSize {
  /** For states and clocks; on a disk with room. */
  readonly directory: string;
  readonly repository: string;
  readonly models: number;
}

export class ChaosFleet {
  readonly etcd: EtcdProcess;
  readonly #t: Cleanup;
  readonly #size: FleetSize;
  readonly #seats = new Map<string, Seat>();
  readonly #members = new Map<string, MemberProcess>();

  static async start(t: Cleanup, size: FleetSize): Promise<ChaosFleet> {
    const fleet = new ChaosFleet(t, size, await startEtcd(t));
    for (const id of memberIds) fleet.#seats.set(id, await fleet.#seat(id));
    await Promise.all(memberIds.map((id) => fleet.start(id)));
    await fleet.untilWhole(60_000);
    return fleet;
  }

  private constructor(t: Cleanup, size: FleetSize, etcd: EtcdProcess) {
    this.#t = t;
    this.#size = size;
    this.etcd = etcd;
  }

  /** URLs of all routers, which stay the same over restarts. */
  get routers(): ReadonlyMap<string, string> {
    return new Map(routerIds.map((id) => [id, this.member(id).http]));
  }

  member(id: string): MemberProcess {
    return this.#members.get(id)!;
  }

  async start(id: string): Promise<void> {
    const { args, clockFile } = this.#seats.get(id)!;
    const env = {
      CHAOS_CLOCK: clockFile,
      NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${clockProgram}`,
    };
    this.#members.set(id, await startMember(this.#t, isRouter(id) ? 'router' : 'backend', args, { env }));
  }

  /** Of the process inside of a backend that holds its copies. */
  async enginePid(id: string): Promise<number> {
    const { backends } = await fleetOf(this.member(routerIds[0]!).http);
    return backends.find((backend) => backend.id === id)!.pid!;
  }

  disturbLink(backend: string, disturbance: Disturbance | undefined, router?: string): void {
    this.#seats.get(backend)!.link!.disturb(disturbance, router);
  }

  disturbRegistry(member: string, disturbance: Disturbance | undefined): void {
    this.#seats.get(member)!.registry.disturb(disturbance);
  }

  setClock(member: string, offByMs: number): void {
    writeFileSync(this.#seats.get(member)!.clockFile, `${offByMs}`);
  }

  /** Undefined where nothing may be mounted. */
  disk(backend: string): SmallDisk | undefined {
    return this.#seats.get(backend)!.disk;
  }

  stateOf(member: string): string {
    return join(this.#size.directory, `state-${member}`);
  }

  /** Every router knows every model, is connected with every backend and with etcd, and knows the other routers. */
  async untilWhole(withinMs: number): Promise<void> {
    for (const id of routerIds) {
      let seen = '';
      await until(`${id} sees the whole fleet`, withinMs, async () => {
        const found = await this.#missing(this.member(id).http);
        seen = found ?? '';
        return found === undefined ? true : undefined;
      }).catch((fault: Error) => {
        throw new Error(`${fault.message}: ${seen}`);
      });
    }
  }

  async #missing(http: string): Promise<string | undefined> {
    const { backends, models, registry, routers } = await fleetOf(http);
    const absent = backends
      .filter(({ state }) => state !== 'up')
      .map(({ id, state, reason }) => `${id} ${state} ${reason}`);
    if (backends.length !== backendIds.length || absent.length > 0) {
      return `${backends.length} backends, of which not up: ${absent.join(', ')}`;
    }
    if (registry?.kind !== 'connected') return `the registry is ${registry?.kind}: ${registry?.reason}`;
    if (models.known !== this.#size.models) return `${models.known} models are known`;
    return routers.length === routerIds.length ? undefined : `the routers ${routers.join(', ')}`;
  }

  async #seat(id: string): Promise<Seat> {
    const registry = await TcpProxy.listen({ targetPort: Number(this.etcd.host.split(':')[1]) });
    const port = await freePort();
    const link = isRouter(id) ? undefined : await TcpProxy.listen({ targetPort: port, peerOf: routerOf });
    const state = this.stateOf(id);
    mkdirSync(state);
    const disk = isRouter(id) ? undefined : SmallDisk.mount(state, diskBytes);
    this.#t.after(() => {
      registry.close();
      link?.close();
      disk?.unmount();
      rmSync(state, { recursive: true, force: true });
    });
    const common = ['--id', id, '--registry', `etcd://127.0.0.1:${registry.port}`, '--state', state];
    const own =
      link === undefined
        ? ['--http', `${port}`, '--grpc', '0', '--metrics', '0']
        : [
            ...['--listen', `tcp://127.0.0.1:${port}`, '--advertise', `tcp://127.0.0.1:${link.port}`],
            ...['--models', this.#size.repository, '--memory', '512MiB'],
          ];
    const clockFile = join(this.#size.directory, `clock-${id}`);
    return { args: [...common, '--log-level', 'info', ...own], registry, link, clockFile, disk };
  }
}

function isRouter(id: string): boolean {
  return routerIds.includes(id);
}

/** A link begins with the frame `hello` of the router, whose JSON names it. */
function routerOf(first: Buffer): string {
  return /"id":"([^"]+)"/.exec(first.toString())?.[1] ?? '';
}
