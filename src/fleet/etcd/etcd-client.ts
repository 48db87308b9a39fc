import { SkeinError } from '../../protocol/errors.ts';
import { type HttpAnswer, HttpPoster, type TlsFiles, textOf } from './http-post.ts';
import { readLines } from './read-lines.ts';

export interface EtcdClientOptions {
  readonly endpoints: readonly string[];
  /** '' for none. */
  readonly user: string;
  readonly password: string;
  readonly tls?: TlsFiles;
}

/** One call on one endpoint may take so long: a member that is cut off from the others accepts calls and answers none. */
const callTimeoutMs = 3_000;

/** What etcd says of a signed token from before the last change of its users. */
const oldToken = 'revision of auth store is old';

/** A member of the cluster that has lost sight of its leader ends the watches that ask for this; else they would go silent. */
const watchHeaders = { 'grpc-metadata-hasleader': 'true' };

/** gRPC status codes, as the gateway passes them on. */
const code = { invalid: 3, deadline: 4, denied: 7, aborted: 10, internal: 13, unavailable: 14, unauthenticated: 16 };

type Token = Promise<string> | undefined;

interface PostOptions {
  readonly token: Token;
  readonly signal: AbortSignal;
  readonly endpoint: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Failure {
  readonly error?: string;
  readonly message?: string;
  readonly code?: number;
}

/** Calls etcd's JSON gateway: on the next endpoint where one does not answer, with a fresh token where one has run out. */
export class EtcdClient {
  readonly #options: EtcdClientOptions;
  readonly #http: HttpPoster;
  #at = 0;
  #failures = 0;
  #token: Promise<string> | undefined;

  constructor(options: EtcdClientOptions) {
    this.#options = options;
    this.#http = new HttpPoster(options.tls);
  }

  /** The endpoint that the next call goes to. */
  get endpoint(): string {
    return this.#options.endpoints[this.#at]!;
  }

  /** Calls so far that their endpoint did not answer as it should; others may have done so since. */
  get failures(): number {
    return this.#failures;
  }

  /** Rejects with `registry_unreachable` where no endpoint answers, and `registry_refused` where one will not. */
  async call<T>(path: string, body: unknown): Promise<T> {
    const tries = this.#options.endpoints.length + 1;
    let last = '';
    for (let attempt = 1; attempt <= tries; attempt++) {
      const endpoint = this.endpoint;
      try {
        const token = this.#authenticated(endpoint);
        const answer = await this.#post(path, body, { token, signal: AbortSignal.timeout(callTimeoutMs), endpoint });
        const text = await textOf(answer.body);
        if (answer.status === 200) return JSON.parse(text) as T;
        last = this.#judge(answer.status, text, endpoint, token);
      } catch (fault) {
        if (fault instanceof SkeinError) throw fault;
        last = `${endpoint}: ${this.#explain(fault)}`;
      }
      this.#leave(endpoint);
    }
    throw new SkeinError('registry_unreachable', { reason: last });
  }

  /** The answers of a call that streams, until it ends or `signal` aborts. Rejects as `call` does, without a second try. */
  async *stream<T>(path: string, body: unknown, signal: AbortSignal): AsyncGenerator<T> {
    const endpoint = this.endpoint;
    try {
      const token = this.#authenticated(endpoint);
      const answer = await this.#post(path, body, { token, signal, endpoint, headers: watchHeaders });
      if (answer.status !== 200) {
        const reason = this.#judge(answer.status, await textOf(answer.body), endpoint, token);
        throw new SkeinError('registry_unreachable', { reason });
      }
      for await (const line of readLines(answer.body)) {
        const { result, error } = JSON.parse(line) as { result?: T; error?: Failure };
        if (result === undefined) throw new Error(error?.message ?? 'the stream broke off');
        yield result;
      }
    } catch (fault) {
      this.#leave(endpoint);
      if (fault instanceof SkeinError) throw fault;
      throw new SkeinError(
        'registry_unreachable',
        { reason: `${endpoint}: ${this.#explain(fault)}` },
        { cause: fault },
      );
    }
  }

  close(): void {
    this.#http.close();
  }

  async #post(path: string, body: unknown, { token, signal, endpoint, headers }: PostOptions): Promise<HttpAnswer> {
    const authorization = await token;
    const all = { ...headers, ...(authorization !== undefined && { authorization }) };
    return this.#http.post(`${endpoint}/v3${path}`, JSON.stringify(body), all, signal);
  }

  /** One log-in for all calls that wait for it; undefined where there is no user. */
  #authenticated(endpoint: string): Promise<string> | undefined {
    if (this.#options.user === '') return undefined;
    this.#token ??= this.#logIn(endpoint).catch((fault) => {
      this.#token = undefined;
      throw fault;
    });
    return this.#token;
  }

  async #logIn(endpoint: string): Promise<string> {
    const { user, password } = this.#options;
    const body = JSON.stringify({ name: user, password });
    const signal = AbortSignal.timeout(callTimeoutMs);
    const { status, body: text } = await this.#http.post(`${endpoint}/v3/auth/authenticate`, body, {}, signal);
    const answer = JSON.parse(await textOf(text)) as Failure & { token?: string };
    if (status === 200) return answer.token ?? '';
    const reason = answer.message ?? answer.error ?? `status ${status}`;
    if (answer.code === code.invalid || answer.code === code.unauthenticated) {
      throw new SkeinError('registry_refused', { endpoint, reason: `user '${user}': ${reason}` });
    }
    throw new Error(reason);
  }

  /** What to say of a failure that another endpoint, or a second try, may not have; throws what would fail everywhere. */
  #judge(statusCode: number, text: string, endpoint: string, token: Token): string {
    const { error, message, code: given } = failureOf(text);
    const reason = message ?? error ?? `status ${statusCode}: ${text.slice(0, 200)}`;
    if (token !== undefined && (given === code.unauthenticated || reason.includes(oldToken))) {
      if (this.#token === token) this.#token = undefined; // it has run out, and no other call has drawn a new one yet
      return `${endpoint}: ${reason}`;
    }
    if (given === code.denied || given === code.unauthenticated || reason.includes('user name is empty')) {
      throw new SkeinError('registry_refused', { endpoint, reason });
    }
    const mayPass = given === undefined || [code.deadline, code.aborted, code.unavailable].includes(given);
    if (!mayPass && given !== code.internal) {
      throw new SkeinError('internal', { reason: `etcd at ${endpoint} does not take a call: ${reason}` });
    }
    return `${endpoint}: ${reason}`;
  }

  /** A server that wants a certificate hangs up on who has none, after a handshake that seemed to succeed. */
  #explain(fault: unknown): string {
    const reason = reasonOf(fault);
    const isHungUp = this.endpoint.startsWith('https:') && /socket hang up|ECONNRESET|other side closed/.test(reason);
    if (!isHungUp) return reason;
    const own = this.#options.tls?.cert === undefined ? 'this member has none' : "this member's is not trusted";
    return `${reason}; it may ask for a client certificate, and ${own}`;
  }

  #leave(endpoint: string): void {
    this.#failures++;
    if (this.endpoint === endpoint) this.#at = (this.#at + 1) % this.#options.endpoints.length;
  }
}

function failureOf(text: string): Failure {
  try {
    return JSON.parse(text) as Failure;
  } catch {
    return {}; // not etcd's gateway, most likely
  }
}

function reasonOf(fault: unknown): string {
  const { message, code: system, name } = fault as NodeJS.ErrnoException;
  if (name === 'TimeoutError') return `no answer within ${callTimeoutMs} ms`;
  if (fault instanceof AggregateError) return reasonOf(fault.errors[0]);
  return message === '' ? (system ?? name) : message.trim();
}
