import { type ElementType, elementTypes } from './element-type.ts';
import { ProtoMessage } from './wire.ts';

/** A known size, the name of a free dimension, or '' for a free one without a name. */
export type Dimension = number | string;

/** What travels along an edge of the graph: mostly tensors, but ONNX knows more. */
export type ValueType =
  | { readonly kind: 'tensor'; readonly element: ElementType; readonly shape: readonly Dimension[] }
  | { readonly kind: 'sequence'; readonly of: ValueType }
  | { readonly kind: 'optional'; readonly of: ValueType }
  | { readonly kind: 'map'; readonly key: 'int64' | 'string'; readonly value: ValueType };

export function tensor(element: ElementType, shape: readonly Dimension[]): ValueType {
  return { kind: 'tensor', element, shape };
}

/** A ValueInfoProto: an input, an output or a declared intermediate. */
export function encodeValueInfo(name: string, type: ValueType): ProtoMessage {
  return new ProtoMessage().string(1, name).message(2, encodeType(type));
}

/** A TypeProto; each kind has a field of its own. */
function encodeType(type: ValueType): ProtoMessage {
  const message = new ProtoMessage();
  switch (type.kind) {
    case 'tensor':
      return message.message(
        1,
        new ProtoMessage().int(1, elementTypes[type.element].code).message(2, encodeShape(type.shape)),
      );
    case 'sequence':
      return message.message(4, new ProtoMessage().message(1, encodeType(type.of)));
    case 'map':
      return message.message(
        5,
        new ProtoMessage().int(1, elementTypes[type.key].code).message(2, encodeType(type.value)),
      );
    case 'optional':
      return message.message(9, new ProtoMessage().message(1, encodeType(type.of)));
    default:
      return type satisfies never;
  }
}

function encodeShape(shape: readonly Dimension[]): ProtoMessage {
  const message = new ProtoMessage();
  for (const dimension of shape) {
    const encoded = new ProtoMessage();
    if (typeof dimension === 'number') encoded.int(1, dimension);
    else if (dimension !== '') encoded.string(2, dimension);
    message.message(1, encoded);
  }
  return message;
}
