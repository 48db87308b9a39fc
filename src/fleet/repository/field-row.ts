import type { ConfigValue } from './model-config.ts';

/**
 * What becomes of a field of Triton's model configuration:
 * honoured: it does here what it does in Triton;
 * tuning: it has no effect on answers, so it is read, shown to clients again, and warned of at load;
 * refused: ignoring it would change answers or what a request means, so a model that sets it does not load;
 * part: as the message it stands in.
 */
export type Support = 'honoured' | 'tuning' | 'refused' | 'part';

export interface FieldRow {
  readonly type: FieldType;
  readonly many?: 'list' | 'map';
  /** Fields of one such name exclude each other. */
  readonly oneof?: string;
  readonly support: Support;
  /** What it does here, or why it does nothing. */
  readonly note: string;
  /** A value that asks for nothing beyond what happens anyway, where that is not the protobuf default. */
  readonly neutral?: ConfigValue;
}

export type ScalarType = 'string' | 'bool' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'double';

export interface EnumType {
  readonly kind: 'enum';
  readonly name: string;
  /** By number; the first is the default. */
  readonly names: readonly string[];
}

export interface MessageType {
  readonly kind: 'message';
  readonly name: string;
  /** In the order of the protobuf declaration, which is the order in which JSON is written. */
  readonly fields: Readonly<Record<string, FieldRow>>;
}

/** `opaque`: a message whose content is not read, as all of it is refused. */
type FieldType = ScalarType | EnumType | MessageType | 'opaque';

type Extra = Omit<FieldRow, 'type' | 'support' | 'note'>;

export const honoured = (type: FieldType, note: string, extra: Extra = {}): FieldRow => ({
  type,
  support: 'honoured',
  note,
  ...extra,
});

export const tuning = (type: FieldType, note: string, extra: Extra = {}): FieldRow => ({
  type,
  support: 'tuning',
  note,
  ...extra,
});

export const refused = (type: FieldType, note: string, extra: Extra = {}): FieldRow => ({
  type,
  support: 'refused',
  note,
  ...extra,
});

export const part = (type: FieldType, extra: Extra = {}): FieldRow => ({ type, support: 'part', note: '', ...extra });

export const enumOf = (name: string, names: readonly string[]): EnumType => ({ kind: 'enum', name, names });

export const messageOf = (name: string, fields: Readonly<Record<string, FieldRow>>): MessageType => ({
  kind: 'message',
  name,
  fields,
});
