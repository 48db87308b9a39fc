import { SkeinError } from '../../protocol/errors.ts';

/**
 * A configuration as it was written, before any meaning: the same tree for protobuf text and for JSON. Every node says
 * where it stands, so that an error can name the place.
 */
export type ConfigNode = ScalarNode | MessageNode | ListNode;

export interface ScalarNode {
  /** `word`: an enum's name, `true`, `inf`. Numbers keep their text, as 64-bit ones do not fit a JavaScript number. */
  readonly kind: 'string' | 'word' | 'number';
  readonly text: string;
  /** `line 3, column 5` of text, `$.input[0].dims` of JSON. */
  readonly where: string;
}

export interface MessageNode {
  readonly kind: 'message';
  /** In the order written; a name may come again. */
  readonly fields: readonly FieldNode[];
  readonly where: string;
}

interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly where: string;
}

export interface FieldNode {
  readonly name: string;
  readonly value: ConfigNode;
  readonly where: string;
}

export interface ConfigSource {
  readonly model: string;
  /** JSON writes maps as objects and lists as arrays, and numbers of 64 bits as strings if it likes. */
  readonly form: 'text' | 'json';
}

/** Bounds on what is read at all: configurations of thousands of inputs fit many times over. */
export const configBounds = {
  /** UTF-16 units of text; larger configurations are refused unread. With these two the worst takes some 60 ms to read. */
  length: 128 * 1024,
  /** The schema is seven levels deep. */
  depth: 32,
  /** Nodes of the tree: what bounds the time and memory of reading. */
  nodes: 20_000,
} as const;

export function malformed(model: string, where: string, reason: string): SkeinError {
  return new SkeinError('config_malformed', { model, where, reason });
}
