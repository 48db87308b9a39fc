import type { RetentionPool } from '../../adapters/request-body.ts';
import type { SharedBodies } from '../../protocol/reads/shared-bodies.ts';
import type { FleetDesk } from '../mesh/fleet-desk.ts';
import type { Mesh } from '../mesh/mesh-port.ts';
import type { FrontMetrics } from '../metrics/front-metrics.ts';
import { corsHeaders } from './cors.ts';
import type { ServerOptions } from './server-options.ts';
import { StalledBodies } from './stalled-bodies.ts';
import type { Tracer } from './tracing.ts';

type ServerLog = (message: string, facts: Record<string, unknown>) => void;

/** What a server needs beside its mesh. */
export interface ServerTools {
  /** Where changes of the catalogue go; undefined where there is no registry. */
  readonly desk?: FleetDesk | undefined;
  /** Shared by all servers of the process. */
  readonly retention: RetentionPool;
  /** Where large bodies are read to, for backends of this host; undefined: each server has memory of its own. */
  readonly sharedBodies?: SharedBodies | undefined;
  readonly metrics: FrontMetrics;
  /** Undefined where no collector is configured: then nothing is recorded. */
  readonly tracer?: Tracer | undefined;
  readonly log: ServerLog;
}

/** What all requests of one server share. */
export class Front {
  readonly mesh: Mesh;
  readonly options: ServerOptions;
  readonly retention: RetentionPool;
  readonly sharedBodies: SharedBodies | undefined;
  readonly metrics: FrontMetrics;
  readonly tracer: Tracer | undefined;
  readonly log: ServerLog;
  readonly stalledBodies: StalledBodies;
  /** Stand in every answer: names and values in turn, as writeHead takes them. */
  #fixedHeaders: readonly string[];
  #isClosing = false;

  constructor(mesh: Mesh, options: ServerOptions, { retention, sharedBodies, metrics, tracer, log }: ServerTools) {
    this.mesh = mesh;
    this.options = options;
    this.retention = retention;
    this.sharedBodies = sharedBodies;
    this.metrics = metrics;
    this.tracer = tracer;
    this.log = log;
    this.stalledBodies = new StalledBodies(options.bodyTimeoutMs);
    this.#fixedHeaders = corsHeaders(options.corsOrigin);
    if (options.keepAliveTimeoutMs === 0) this.#closeAfterAnswers();
  }

  get fixedHeaders(): readonly string[] {
    return this.#fixedHeaders;
  }

  /** The server drains: it takes no new connection, and an answer is the last on its connection. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  startClosing(): void {
    if (!this.#isClosing && this.options.keepAliveTimeoutMs !== 0) this.#closeAfterAnswers();
    this.#isClosing = true;
  }

  #closeAfterAnswers(): void {
    this.#fixedHeaders = [...this.#fixedHeaders, 'Connection', 'close'];
  }
}
