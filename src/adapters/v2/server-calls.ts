import { SkeinError } from '../../protocol/errors.ts';
import type { CopyDescription } from '../../protocol/link/messages.ts';
import type { ModelStatistics } from '../../protocol/v2/statistics.ts';
import type { ControlClient, ControlRequest } from './control-client.ts';
import { type ForeignAnswer, foreignError } from './foreign-error.ts';
import { readDescription } from './read-description.ts';
import { RequestSlots } from './request-slots.ts';
import type { ServerAddress } from './server-address.ts';
import type { V2Options } from './v2-options.ts';

/** Calls at once of either kind: loads take minutes, and must keep nobody from a question. */
const callsAtOnce = 4;
const callsWaiting = 256;

/** What an external server is asked beside inferences, a few at a time. */
export class ServerCalls {
  readonly #backend: string;
  readonly #client: ControlClient;
  readonly #address: ServerAddress;
  readonly #options: V2Options;
  readonly #changes = new RequestSlots(callsAtOnce, callsWaiting);
  readonly #questions = new RequestSlots(callsAtOnce, callsWaiting);

  constructor(backend: string, client: ControlClient, address: ServerAddress, options: V2Options) {
    this.#backend = backend;
    this.#client = client;
    this.#address = address;
    this.#options = options;
  }

  /** Names of the protocol's extensions that the server has; none where it does not say. */
  async extensions(): Promise<readonly string[]> {
    const answer = await this.#client.ask(this.#get(this.#address.root));
    const body = answer.status === 200 ? parsed(answer) : undefined;
    const extensions = isObject(body) ? body['extensions'] : undefined;
    return Array.isArray(extensions) ? extensions.filter((name) => typeof name === 'string') : [];
  }

  /** Of a model, or of one of its versions by the server's name for it. */
  describe(model: string, version: string | undefined): Promise<CopyDescription> {
    return this.#questions.run(async () => {
      const path = this.#address.model(model, version);
      const metadata = await this.#client.json(this.#get(path));
      const config = await this.#client.ask(this.#get(`${path}/config`));
      return readDescription(this.#backend, metadata, config.status === 200 ? parsed(config) : undefined);
    });
  }

  statistics(model: string | undefined): Promise<readonly ModelStatistics[]> {
    const { root } = this.#address;
    const path = model === undefined ? `${root}/models/stats` : `${this.#address.model(model)}/stats`;
    return this.#questions.run(async () => {
      const body = await this.#client.json(this.#get(path));
      const stats = isObject(body) ? body['model_stats'] : undefined;
      if (Array.isArray(stats)) return stats as ModelStatistics[];
      throw new SkeinError('reply_malformed', { backend: this.#backend, reason: 'its statistics lack model_stats' });
    });
  }

  /** Resolves when the server says that it is done. `config`: a ModelConfig in JSON that replaces the model's own. */
  load(model: string, config: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const body = config === undefined ? undefined : { parameters: { config } };
    return this.#change({ path: this.#address.repositoryModel(model, 'load'), body, signal });
  }

  unload(model: string): Promise<void> {
    return this.#change({ path: this.#address.repositoryModel(model, 'unload') });
  }

  #change(change: Pick<ControlRequest, 'path' | 'body' | 'signal'>): Promise<void> {
    return this.#changes.run(async () => {
      const timeoutMs = this.#options.loadTimeoutMs;
      const answer = await this.#client.ask({ method: 'POST', ...change, timeoutMs });
      if (answer.status === 200) return;
      const error = foreignError(this.#backend, answer);
      if (!forbidsChanges(answer)) throw error;
      const facts = { backend: this.#backend, verb: 'load and unload models', reason: error.message };
      throw new SkeinError('backend_cannot', facts);
    });
  }

  #get(path: string): ControlRequest {
    return { method: 'GET', path, timeoutMs: this.#options.callTimeoutMs };
  }
}

/** Triton says so with 503 outside its explicit mode, and with 403 where the API is restricted; others lack the route. */
function forbidsChanges({ status, body }: ForeignAnswer): boolean {
  if (status === 405 || status === 501) return true;
  return (status === 503 || status === 403) && /not allowed|restricted/i.test(new TextDecoder().decode(body));
}

function parsed({ body }: ForeignAnswer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
