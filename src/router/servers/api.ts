import type { IncomingMessage } from 'node:http';

/** One call of the API beside inference, as its handlers see it: read, and free of any framework. */
export interface ApiCall {
  readonly request: IncomingMessage;
  /** Parts of the path by name, still as the client wrote them. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Empty where there is none. */
  readonly body: Uint8Array;
}

export interface ApiAnswer {
  readonly status: number;
  /** JSON, or nothing. */
  readonly body: string | undefined;
}

export interface ApiRoute {
  readonly method: 'GET' | 'POST';
  /** A path with `:name` for its parts. */
  readonly path: string;
  readonly handle: (call: ApiCall) => ApiAnswer | Promise<ApiAnswer>;
  /** Looks at a request before its body is read; throws to refuse it. */
  readonly admit?: (request: IncomingMessage) => void;
  /** Largest body; without one a small default holds. */
  readonly bodyLimitBytes?: number;
}

export const empty: ApiAnswer = { status: 200, body: undefined };

export function json(value: unknown): ApiAnswer {
  return { status: 200, body: JSON.stringify(value) };
}
