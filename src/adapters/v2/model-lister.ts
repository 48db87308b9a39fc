import { mapBounded } from '../../fleet/repository/map-bounded.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { ControlClient } from './control-client.ts';
import type { ForeignAnswer } from './foreign-error.ts';
import { type ModelSighting, missing, type Survey, versionNumber } from './model-sighting.ts';
import { indexRows, surveyOfIndex } from './read-index.ts';
import type { ServerAddress } from './server-address.ts';

/** Models that are asked about at once. */
const questionsAtOnce = 4;

/** How a server tells which models it has, best first: an index with their states, bare names, or not at all. */
type Way = 'index' | 'names' | 'declared';

/** Looks at which models a server has and which of them are ready. */
export class ModelLister {
  readonly #backend: string;
  readonly #client: ControlClient;
  readonly #address: ServerAddress;
  readonly #declared: readonly string[];
  readonly #timeoutMs: number;
  /** Names of versions by model, where the index does not tell them. */
  readonly #versions = new Map<string, readonly (string | undefined)[]>();
  #way: Way = 'declared';
  #canLoad = false;

  constructor(
    backend: string,
    client: ControlClient,
    address: ServerAddress,
    declared: readonly string[],
    timeoutMs: number,
  ) {
    this.#backend = backend;
    this.#client = client;
    this.#address = address;
    this.#declared = declared;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether it loads and unloads: believed of a server with an index until it refuses. */
  get canLoad(): boolean {
    return this.#canLoad;
  }

  forgetLoading(): void {
    this.#canLoad = false;
  }

  /** Finds out how this server lists its models. Rejects where it does not, and none are declared. */
  async open(): Promise<void> {
    if ((await this.#index()) !== undefined) this.#way = 'index';
    else if ((await this.#names()) !== undefined) this.#way = 'names';
    else if (this.#declared.length > 0) this.#way = 'declared';
    else {
      const reason = 'it has neither a repository index nor GET /v2/models; name its models in the settings file';
      throw new SkeinError('backend_cannot', { backend: this.#backend, verb: 'list its models', reason });
    }
    this.#canLoad = this.#way === 'index';
  }

  async survey(): Promise<Survey> {
    if (this.#way === 'index') {
      const rows = await this.#index();
      if (rows === undefined) throw this.#unlisted();
      return surveyOfIndex(rows, this.#declared, this.#canLoad);
    }
    const names = this.#declared.length > 0 ? this.#declared : await this.#names();
    if (names === undefined) throw this.#unlisted();
    const sightings = await mapBounded(names, questionsAtOnce, (name) => this.#look(name));
    return { sightings: sightings.flat(), offers: [] };
  }

  /** A server that has come back may have other versions. */
  forgetVersions(): void {
    this.#versions.clear();
  }

  async #look(model: string): Promise<readonly ModelSighting[]> {
    const path = this.#address.model(model);
    const answer = await this.#ask('GET', `${path}/ready`);
    if (!saysReady(answer)) {
      const reason = answer.status === 404 ? 'the server does not know it' : 'the server says that it is not ready';
      return [missing(model, reason)];
    }
    let versions = this.#versions.get(model);
    if (versions === undefined) {
      versions = versionsOf(await this.#ask('GET', path));
      this.#versions.set(model, versions);
    }
    return versions.map((versionName) => ({
      model,
      version: versionNumber(versionName),
      versionName,
      phase: 'ready',
      reason: '',
    }));
  }

  async #index() {
    return indexRows(jsonOf(await this.#ask('POST', `${this.#address.root}/repository/index`)));
  }

  /** KServe's `{"models": [name, …]}`. */
  async #names(): Promise<readonly string[] | undefined> {
    const body = jsonOf(await this.#ask('GET', `${this.#address.root}/models`));
    if (typeof body !== 'object' || body === null || !('models' in body) || !Array.isArray(body.models))
      return undefined;
    return body.models.filter((name) => typeof name === 'string');
  }

  #ask(method: 'GET' | 'POST', path: string): Promise<ForeignAnswer> {
    return this.#client.ask({ method, path, timeoutMs: this.#timeoutMs });
  }

  #unlisted(): SkeinError {
    return new SkeinError('reply_malformed', { backend: this.#backend, reason: 'it no longer lists its models' });
  }
}

/** By the status; a body that says no, as the protocol's text has it, counts too. */
function saysReady(answer: ForeignAnswer): boolean {
  const body = jsonOf(answer);
  const denied = typeof body === 'object' && body !== null && 'ready' in body && body.ready === false;
  return answer.status === 200 && !denied;
}

/** Distinct by number, because that is what they go by; one without a name where the server has no versions. */
function versionsOf(answer: ForeignAnswer): readonly (string | undefined)[] {
  const body = jsonOf(answer);
  const listed = typeof body === 'object' && body !== null && 'versions' in body ? body.versions : undefined;
  const names = Array.isArray(listed) ? listed.filter((name) => typeof name === 'string' && name !== '') : [];
  const byNumber = new Map<number, string>(names.map((name) => [versionNumber(name), name]));
  return byNumber.size === 0 ? [undefined] : [...byNumber.values()];
}

/** Undefined where the status is not 200 or the body is no JSON. */
function jsonOf({ status, body }: ForeignAnswer): unknown {
  if (status !== 200) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
