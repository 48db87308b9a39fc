import type { BackendRecord } from '../../adapters/adapter.ts';
import type { ModelRecord } from '../../fleet/catalogue-entry.ts';
import type { BackendMember, RouterMember } from '../../fleet/member-record.ts';
import type { FleetChanges, FleetListener, FleetSnapshot, RegistryStanding } from '../../fleet/registry.ts';
import type { RepositoryChanges, RepositoryModel } from '../../fleet/repository/repository-model.ts';
import type { TurnedAway } from '../../fleet/turned-away.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { BackendConnector } from './backend-connector.ts';
import type { Catalogue } from './catalogue.ts';
import type { FleetView } from './fleet-view.ts';
import type { ModelEntry } from './model-entry.ts';
import type { FleetReport } from './reports.ts';

type Log = (message: string, facts: Record<string, unknown>) => void;

/** Carries what the registry says into what the mesh goes by: backends to connect to, models to know, routes. */
export class FleetSync implements FleetListener {
  readonly #catalogue: Catalogue;
  readonly #fleet: FleetView;
  readonly #connector: BackendConnector;
  readonly #applyRepository: (changes: RepositoryChanges) => void;
  readonly #onService: (entry: ModelEntry, isUnloaded: boolean) => void;
  readonly #log: Log;
  /** Backends that came from the registry, by id: those of this machine are none of its business. */
  readonly #listed = new Map<string, BackendMember>();
  /** Not listed any more and still linked: the link counts, whatever became of the lease. */
  readonly #unlisted = new Set<string>();
  #standing: RegistryStanding | undefined;
  #turnedAway: readonly TurnedAway[] = [];
  #routers: readonly RouterMember[] = [];
  #hadEntries = false;

  constructor(
    parts: { readonly catalogue: Catalogue; readonly fleet: FleetView; readonly connector: BackendConnector },
    applyRepository: (changes: RepositoryChanges) => void,
    /** A call to some router has taken the model out of service, or back into it. */
    onService: (entry: ModelEntry, isUnloaded: boolean) => void,
    log: Log,
  ) {
    this.#catalogue = parts.catalogue;
    this.#fleet = parts.fleet;
    this.#connector = parts.connector;
    this.#applyRepository = applyRepository;
    this.#onService = onService;
    this.#log = log;
    this.#fleet.onChange(() => this.#dropUnlinked());
  }

  get standing(): RegistryStanding | undefined {
    return this.#standing;
  }

  get report(): Pick<FleetReport, 'registry' | 'turnedAway' | 'routerVersions'> {
    const routerVersions = Object.fromEntries(this.#routers.map(({ id, software }) => [id, software]));
    return {
      registry: this.#standing,
      turnedAway: this.#turnedAway,
      ...(this.#standing !== undefined && { routerVersions }),
    };
  }

  onStanding(standing: RegistryStanding): void {
    this.#standing = standing;
  }

  /** What is told to who asks for a model that is not known: before the catalogue was read that says nothing of the model. */
  missing(model: string): SkeinError {
    if (this.hasNoCatalogue) {
      return new SkeinError('registry_emptied', { reason: 'it knows no model, and backends hold some' });
    }
    if (this.#standing?.kind !== 'starting') return new SkeinError('model_unknown', { model });
    return new SkeinError('registry_unreachable', { reason: this.#standing.reason });
  }

  /** The store was emptied before this router began: others go on by what they know, this one has nothing to go by. */
  get hasNoCatalogue(): boolean {
    if (this.#hadEntries) return false;
    return [...this.#listed.keys()].some((id) => (this.#fleet.backends.get(id)?.copies.size ?? 0) > 0);
  }

  onChange(snapshot: FleetSnapshot, { entries, backends, routers, drains, turnedAway }: FleetChanges): void {
    if (routers.length > 0) this.#routers = [...snapshot.routers.values()];
    if (turnedAway.length > 0) this.#turnedAway = [...snapshot.turnedAway.values()];
    this.#hadEntries ||= snapshot.entries.size > 0;
    for (const id of new Set([...backends, ...drains])) this.#syncBackend(id, snapshot);
    if (entries.length > 0) this.#syncEntries(entries, snapshot);
  }

  #syncBackend(id: string, { backends, drains }: FleetSnapshot): void {
    const member = backends.get(id);
    const view = this.#fleet.backends.get(id);
    const isLeaving = drains.has(id) || member?.leaving === true;
    if (member === undefined) {
      const known = this.#listed.get(id);
      if (view === undefined) return;
      if (known === undefined)
        this.#fleet.onDescribed(view, view.record, isLeaving); // one of this machine
      else this.#unlist(id);
      return;
    }
    this.#unlisted.delete(id);
    const before = this.#listed.get(id);
    this.#listed.set(id, member);
    if (view !== undefined && before?.address !== member.address) this.#connector.remove(id);
    const isNew = !this.#fleet.backends.has(id);
    const now = isNew ? this.#connector.add(recordOf(member)) : view!;
    this.#fleet.onDescribed(now, recordOf(member), isLeaving);
    if (isNew) this.#log('backend in the fleet', { backend: id, address: member.address });
  }

  #unlist(id: string): void {
    if (this.#fleet.backends.get(id)?.session === undefined) this.#remove(id);
    else {
      this.#unlisted.add(id);
      this.#log('backend is not in the registry any more and goes on by its link', { backend: id });
    }
  }

  #dropUnlinked(): void {
    for (const id of this.#unlisted) {
      if (this.#fleet.backends.get(id)?.session !== undefined) continue;
      // The fleet is just telling of its change: what it holds is changed when that is over.
      this.#unlisted.delete(id);
      queueMicrotask(() => this.#remove(id));
    }
  }

  #remove(id: string): void {
    if (!this.#listed.delete(id)) return;
    this.#connector.remove(id);
    this.#log('backend left the fleet', { backend: id });
  }

  #syncEntries(names: readonly string[], snapshot: FleetSnapshot): void {
    const added: RepositoryModel[] = [];
    const changed: RepositoryModel[] = [];
    const removed: string[] = [];
    const served: ModelEntry[] = [];
    for (const name of names) {
      const entry = snapshot.entries.get(name)?.entry;
      this.#catalogue.setRoute(name, entry?.kind === 'route' ? entry : undefined);
      const known = this.#catalogue.find(name);
      if (entry?.kind === 'model') {
        const model = repositoryModelOf(entry);
        const now = this.#catalogue.ensure(name);
        if ((now.record?.unloaded === true) !== (entry.unloaded === true)) served.push(now);
        now.record = entry;
        const isSame = known?.repository?.stamp === model.stamp && known.repository.path === model.path;
        if (isSame)
          known!.repository = model; // its labels may be other ones
        else (known?.repository === undefined ? added : changed).push(model);
      } else if (known?.record !== undefined) {
        known.record = undefined;
        known.isUnloaded = false; // who registers the name again means another model
        removed.push(name);
      }
    }
    this.#applyRepository({ added, changed, removed });
    for (const entry of served) this.#onService(entry, entry.record?.unloaded === true);
  }
}

function recordOf({ id, address, engines, labels, taints, zone }: BackendMember): BackendRecord {
  return { id, kind: 'skein', address, engines, labels: zone === '' ? labels : { ...labels, zone }, taints, zone };
}

/** Its path is relative: each backend looks for it in model directories of its own. */
function repositoryModelOf({ name, path, versions, stamps, labels }: ModelRecord): RepositoryModel {
  const stamp = versions.map((version, i) => `${version}:${stamps[i]}`).join(' ');
  const model = { name, path, layout: 'directory' as const, versions, versionStamps: stamps, stamp, hasConfig: false };
  return labels === undefined ? model : { ...model, labels: new Map(Object.entries(labels)) };
}
