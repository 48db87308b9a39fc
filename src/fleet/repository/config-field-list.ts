import { modelConfigFields } from './config-fields.ts';
import type { FieldRow, MessageType, Support } from './field-row.ts';

interface ListedField {
  /** `optimization.cuda.graphs`; entries of lists and maps have no index. */
  readonly path: string;
  readonly support: Exclude<Support, 'part'>;
  /** Empty for a part of a message whose own row says it. */
  readonly note: string;
}

/** The table of config-fields.ts, flat: what the documentation lists. */
export function listConfigFields(): ListedField[] {
  return listed(modelConfigFields, '', 'honoured');
}

function listed(message: MessageType, prefix: string, inherited: ListedField['support']): ListedField[] {
  return Object.entries(message.fields).flatMap(([name, row]) => {
    const path = prefix + name;
    const support = row.support === 'part' ? inherited : row.support;
    return [{ path, support, note: row.note }, ...inner(row, path, support)];
  });
}

function inner({ type }: FieldRow, path: string, support: ListedField['support']): ListedField[] {
  return typeof type === 'object' && type.kind === 'message' ? listed(type, `${path}.`, support) : [];
}
