import { request as httpRequest, type IncomingMessage } from 'node:http';
import { loadSettings } from '../config/load-settings.ts';
import type { Verb } from '../config/setting.ts';
import { SkeinError } from '../protocol/errors.ts';
import type { CommandConsole } from './command-console.ts';
import type { VerbCall } from './verb.ts';

/** Silence after which a server that accepted the connection counts as not there. */
const answerTimeoutMs = 30_000;
const noTimeout = 0;

/** An answer of the admin API: the bytes for programs, the value for tables. */
interface AdminReply<T> {
  readonly text: string;
  readonly body: T;
}

/** Asks a running server. Rejects with `server_unreachable`, or `server_refused` and the server's own words. */
export class AdminClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async get<T>(path: string): Promise<AdminReply<T>> {
    const text = await this.#send('GET', path, answerTimeoutMs);
    try {
      return { text, body: JSON.parse(text) as T };
    } catch {
      throw this.#stranger('GET', path, 'answered with no JSON');
    }
  }

  /** Waits as long as it takes: a load may. */
  post(path: string, body?: unknown): Promise<string> {
    return this.#send('POST', path, noTimeout, body);
  }

  async #send(method: string, path: string, timeoutMs: number, body?: unknown): Promise<string> {
    const { status, text } = await this.#exchange(method, path, timeoutMs, body);
    if (status < 300) return text;
    const reason = errorIn(text);
    if (reason === undefined) throw this.#stranger(method, path, `answered with status ${status}`);
    throw new SkeinError('server_refused', { reason });
  }

  async #exchange(
    method: string,
    path: string,
    timeoutMs: number,
    body?: unknown,
  ): Promise<{ status: number; text: string }> {
    const url = `${this.#url}${path}`;
    const request = url.startsWith('https:') ? (await import('node:https')).request : httpRequest;
    return new Promise((resolve, reject) => {
      const fail = (fault: NodeJS.ErrnoException) => {
        const reason = faultReason(fault);
        reject(new SkeinError('server_unreachable', { url: this.#url, reason }, { cause: fault }));
      };
      const sent = request(url, { method, timeout: timeoutMs, headers: { accept: 'application/json' } });
      sent.on('error', fail);
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${answerTimeoutMs / 1000} s`)));
      sent.on('response', (response) =>
        readText(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), fail),
      );
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #stranger(method: string, path: string, what: string): SkeinError {
    const reason = `${method} ${this.#url}${path} ${what}: is that the HTTP port of a Skein server?`;
    return new SkeinError('server_refused', { reason });
  }
}

type OperatorVerb = Exclude<Verb, 'serve' | 'router' | 'backend' | 'engines'>;

/** The client for an operator verb. */
export function adminClient(verb: OperatorVerb, call: VerbCall, console: CommandConsole): AdminClient {
  return new AdminClient(serverUrl(verb, call, console));
}

/** --url, SKEIN_URL, or the default; without a slash at the end. */
export function serverUrl(verb: OperatorVerb, { flags }: VerbCall, { env, cwd }: CommandConsole): string {
  // No setting of these verbs depends on the machine.
  const machine = { cores: 1, memoryBytes: 0 };
  return loadSettings(verb, { flags, env, cwd, machine }).url;
}

export function modelPath(model: string): string {
  return `/fleet/models/${encodeURIComponent(model)}`;
}

async function readText(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString('utf8');
}

function errorIn(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

/** A connection that fails on several addresses has an AggregateError without a message. */
function faultReason(fault: NodeJS.ErrnoException): string {
  const [first] = fault instanceof AggregateError ? (fault.errors as Error[]) : [];
  return first?.message ?? (fault.message || String(fault.code));
}
