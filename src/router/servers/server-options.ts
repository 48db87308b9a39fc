/** What the HTTP server lets a client do, and for how long. The settings of the same names say why each is what it is. */
export interface ServerOptions {
  /** Skein's own, for GET /v2. */
  readonly version: string;
  /** Of a request's body, after decompression, too. */
  readonly maxBodyBytes: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  /** From a connection's first byte to the end of a request's head. */
  readonly headersTimeoutMs: number;
  /** Longest pause between two pieces of a body; while the router itself does not read, time does not count. */
  readonly bodyTimeoutMs: number;
  /** How long a client may take nothing of an answer that waits for it; half a minute unless it is said. */
  readonly answerTimeoutMs?: number;
  /** How long a request may take to arrive, however steadily it comes; five minutes unless it is said. */
  readonly wholeRequestMs?: number;
  /** Of an idle connection; 0 closes it after each answer. */
  readonly keepAliveTimeoutMs: number;
  /** Origin whose pages may call from a browser, `*` for all; empty turns CORS off. */
  readonly corsOrigin: string;
  /** Take files and configurations in load calls from beyond loopback. */
  readonly allowRemoteLoad: boolean;
  /** False leaves every request to node:http, as tests do that compare the two readers. */
  readonly readsStrictly?: boolean;
}

export const defaultServerOptions: ServerOptions = {
  version: '0.0.0',
  maxBodyBytes: 64 * 1024 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxConnections: 10_000,
  headersTimeoutMs: 4_000,
  bodyTimeoutMs: 4_000,
  keepAliveTimeoutMs: 75_000,
  corsOrigin: '',
  allowRemoteLoad: false,
};
