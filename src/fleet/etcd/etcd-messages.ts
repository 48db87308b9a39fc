/**
 * The part of etcd's API that Skein uses, as its JSON gateway has it: bytes in base64, 64-bit integers as texts, members of
 * zero value left out. Source: etcd 3.4 and later, api/etcdserverpb/rpc.proto.
 */

interface Header {
  readonly revision?: string;
}

export interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision?: string;
  readonly lease?: string;
}

interface RangeRequest {
  readonly key: string;
  readonly range_end?: string;
  readonly limit?: string;
  readonly revision?: string;
}

export interface RangeAnswer {
  readonly header: Header;
  readonly kvs?: readonly KeyValue[];
  readonly more?: boolean;
}

interface Compare {
  readonly key: string;
  readonly target: 'MOD' | 'CREATE' | 'VALUE';
  readonly result: 'EQUAL';
  readonly mod_revision?: string;
  readonly create_revision?: string;
  readonly value?: string;
}

export type Operation =
  | { readonly request_put: { readonly key: string; readonly value: string; readonly lease?: string } }
  | { readonly request_range: RangeRequest }
  | { readonly request_delete_range: { readonly key: string; readonly range_end?: string } }
  | { readonly request_txn: Transaction };

export interface Transaction {
  readonly compare?: readonly Compare[];
  readonly success?: readonly Operation[];
  readonly failure?: readonly Operation[];
}

export interface TransactionAnswer {
  readonly header: Header;
  readonly succeeded?: boolean;
  readonly responses?: readonly OperationAnswer[];
}

interface OperationAnswer {
  readonly response_range?: RangeAnswer;
  readonly response_txn?: TransactionAnswer;
}

export interface WatchAnswer {
  readonly header: Header;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly cancel_reason?: string;
  /** Set where the wanted revisions are not kept any more. */
  readonly compact_revision?: string;
  readonly events?: readonly WatchEvent[];
}

export interface WatchEvent {
  /** Left out: a put. */
  readonly type?: 'DELETE';
  readonly kv: KeyValue;
}

export function encodeBytes(text: string): string {
  return Buffer.from(text).toString('base64');
}

export function decodeBytes(bytes: string | undefined): string {
  return Buffer.from(bytes ?? '', 'base64').toString();
}

/** The end of the range of all keys that begin with `prefix`. */
export function rangeEndOf(prefix: string): string {
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1; // a prefix ends with a slash, never with the last byte there is
  return end.toString('base64');
}
