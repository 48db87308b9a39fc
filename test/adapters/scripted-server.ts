/** What the contract of adapters asks of the server behind one: it does as it is told, and remembers what it saw. */
import type { BackendRecord } from '../../src/adapters/adapter.ts';

export type Behaviour =
  /** Answers with the body that it got, and with its header length. */
  | { readonly kind: 'echo' }
  | { readonly kind: 'refuse'; readonly text: string }
  /** Reads the request and never answers. */
  | { readonly kind: 'silent' }
  /** Does not read the body. */
  | { readonly kind: 'deaf' }
  /** Answers with so many bytes, as fast as they are taken. */
  | { readonly kind: 'flood'; readonly bytes: number }
  /** Answers with half of the body, and ends the connection. */
  | { readonly kind: 'cut' };

export interface SeenRequest {
  readonly model: string;
  readonly headerLength: number | undefined;
  readonly traceparent: string;
  readonly body: Buffer;
}

export interface ScriptedServer {
  readonly record: BackendRecord;
  /** Requests whose whole body has come. */
  readonly seen: readonly SeenRequest[];
  /** Requests whose head has come. */
  readonly begun: number;
  /** Requests that were given up by the other side before they were answered. */
  readonly givenUp: number;
  behave(behaviour: Behaviour): void;
  /** Whether the model `first` is ready. `second` always is. */
  setReady(ready: boolean): void;
  /** Ends every connection and listens no more. */
  die(): Promise<void>;
}
