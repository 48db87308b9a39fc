/**
 * Every error that Skein answers with: one row each, never reused for another meaning.
 *
 * `kind` is what a client dialect (V2, gRPC, TensorFlow Serving) translates to its own status; nothing inside knows an
 * HTTP status. `retry` says whether the router may try another copy. Texts follow Triton where Triton has one, because
 * its users match on them. docs/reference/errors.md is generated from this table and held equal to it by a test.
 */

export type ErrorKind =
  | 'invalid' // the client's fault: it must change the request
  | 'not_found'
  | 'forbidden'
  | 'method' // wrong HTTP method on a known path
  | 'too_large'
  | 'unsupported' // Skein does not do this, and says so
  | 'unavailable' // later, or elsewhere, it may work
  | 'deadline'
  | 'cancelled'
  | 'internal';

interface ErrorRow {
  readonly kind: ErrorKind;
  readonly retry: boolean;
  readonly template: string;
}

export const errorTable = {
  // --- finding the model
  model_unknown: { kind: 'not_found', retry: false, template: "Request for unknown model: '{model}' is not found" },
  version_unknown: {
    kind: 'not_found',
    retry: false,
    template: "Request for unknown model: '{model}' version {version} is not found",
  },
  model_unavailable: {
    kind: 'not_found',
    retry: false,
    template: "Request for unknown model: '{model}' has no available versions",
  },
  version_malformed: {
    kind: 'invalid',
    retry: false,
    template:
      "failed to get model version from specified version string '{version}' (details: stol), version should be an integral value > 0",
  },
  // --- loading
  load_failed: {
    kind: 'invalid',
    retry: false,
    template: "load failed for model '{model}': version {version} is at UNAVAILABLE state: {reason}",
  },
  model_loading: {
    kind: 'unavailable',
    retry: false,
    template:
      "model '{model}' needs about {seconds} s to load, longer than this request may wait; send it again after Retry-After",
  },
  no_room: {
    kind: 'unavailable',
    retry: true,
    template: "model '{model}' needs {neededBytes} bytes and no backend can free as much now: {detail}",
  },
  no_backend: {
    kind: 'unavailable',
    retry: false,
    template: "no backend can serve model '{model}' now: {detail}",
  },
  // --- model repository
  repository_unreadable: {
    kind: 'unavailable',
    retry: false,
    template: "the model repository '{path}' cannot be read: {reason}",
  },
  model_name_invalid: { kind: 'invalid', retry: false, template: "'{name}' cannot be the name of a model: {reason}" },
  model_file_missing: {
    kind: 'invalid',
    retry: false,
    template: "model '{model}' version {version} has no model file: looked for {tried} in '{path}'",
  },
  config_malformed: {
    kind: 'invalid',
    retry: false,
    template: "the configuration of model '{model}' is wrong at {where}: {reason}",
  },
  config_refused: {
    kind: 'unsupported',
    retry: false,
    template: "the configuration of model '{model}' sets {field} at {where}, which is not supported: {reason}",
  },
  config_mismatch: { kind: 'invalid', retry: false, template: '{reason}' },
  // --- running
  copy_gone: {
    kind: 'unavailable',
    retry: true,
    template: "the copy of model '{model}' left its backend before it answered",
  },
  copy_crashed: {
    kind: 'unavailable',
    retry: true,
    template: "the process that ran model '{model}' ended while it ran this request",
  },
  request_convicted: {
    kind: 'invalid',
    retry: false,
    template:
      "this request ended the process of model '{model}' twice; the same body is refused for {seconds} s. Look for an operation that the model cannot do on these values (an integer division that overflows, say)",
  },
  queue_full: { kind: 'unavailable', retry: true, template: 'Exceeds maximum queue size' },
  queue_timeout: { kind: 'unavailable', retry: false, template: 'Request timeout expired' },
  hold_full: {
    kind: 'unavailable',
    retry: false,
    template:
      "{depth} requests wait for model '{model}' to load, as many as the router holds; send it again after Retry-After",
  },
  deadline_passed: { kind: 'deadline', retry: false, template: 'the deadline passed after {ms} ms, {stage}' },
  cancelled: { kind: 'cancelled', retry: false, template: 'the client went away before the answer' },
  run_failed: { kind: 'invalid', retry: false, template: '{reason}' },
  link_broken: {
    kind: 'unavailable',
    retry: true,
    template: "the connection to backend '{backend}' ended: {reason}",
  },
  internal: { kind: 'internal', retry: false, template: 'a defect in Skein: {reason}; please report it' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;
export type ErrorFacts = Readonly<Record<string, string | number>>;

export class SkeinError extends Error {
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, facts: ErrorFacts = {}, options?: ErrorOptions) {
    super(fillTemplate(errorTable[code].template, facts), options);
    this.name = 'SkeinError';
    this.code = code;
    this.facts = facts;
  }

  get kind(): ErrorKind {
    return errorTable[this.code].kind;
  }

  /** Policy asks the error; it never compares codes or messages. */
  get mayRetry(): boolean {
    return errorTable[this.code].retry;
  }

  /** The one funnel from a foreign fault: what is ours stays, everything else is a defect with its cause kept. */
  static from(fault: unknown): SkeinError {
    if (fault instanceof SkeinError) return fault;
    const reason = fault instanceof Error ? fault.message : String(fault);
    return new SkeinError('internal', { reason }, { cause: fault });
  }
}

function fillTemplate(template: string, facts: ErrorFacts): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? `{${name}}`));
}
