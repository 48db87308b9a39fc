import { eachField, type MessageCursor, mapEntry } from './message-cursor.ts';

/** A node of a graph or of a function's body, as far as anybody here asks. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  /** `name`, `name:1`, `name:output:0` in functions; `^name` orders without passing data. */
  readonly inputs: readonly string[];
  /** Functions that it calls, by its attributes. */
  readonly functions: readonly string[];
  /** DataType of its attribute `dtype`; 0: it has none. */
  readonly dtype: number;
  /** Its attribute `shape`; undefined: it has none, or one of unknown rank. */
  readonly shape: readonly number[] | undefined;
  /** Its attribute `output_stream`; empty: it has none. */
  readonly outputStream: string;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  /** By name: the nodes of its body. */
  readonly functions: ReadonlyMap<string, readonly GraphNode[]>;
}

/** A GraphDef. Tensors inside are stepped over. */
export function readGraph(graph: MessageCursor): Graph {
  const nodes: GraphNode[] = [];
  const functions = new Map<string, GraphNode[]>();
  eachField(graph, (field) => {
    if (field.field === 1) nodes.push(readNode(field.message()));
    else if (field.field === 2) readLibrary(field.message(), functions);
  });
  return { nodes, functions };
}

function readLibrary(library: MessageCursor, functions: Map<string, GraphNode[]>): void {
  eachField(library, (field) => {
    if (field.field !== 1) return;
    let name = '';
    const nodes: GraphNode[] = [];
    eachField(field.message(), (part) => {
      if (part.field === 1) name = nameOf(part.message());
      else if (part.field === 3) nodes.push(readNode(part.message()));
    });
    functions.set(name, nodes);
  });
}

function readNode(node: MessageCursor): GraphNode {
  let name = '';
  let op = '';
  let dtype = 0;
  let shape: readonly number[] | undefined;
  let outputStream = '';
  const inputs: string[] = [];
  const functions: string[] = [];
  eachField(node, (field) => {
    if (field.field === 1) name = field.text();
    else if (field.field === 2) op = field.text();
    else if (field.field === 3) inputs.push(field.text());
    else if (field.field === 5) {
      const { key, value } = mapEntry(field.message());
      if (value === undefined) return;
      eachField(value, (attribute) => {
        if (attribute.field === 10) functions.push(nameOf(attribute.message()));
        else if (attribute.field === 1) readFunctionList(attribute.message(), functions);
        else if (attribute.field === 6 && key === 'dtype') dtype = attribute.value;
        else if (attribute.field === 7 && key === 'shape') shape = readShape(attribute.message());
        else if (attribute.field === 2 && key === 'output_stream') outputStream = attribute.text();
      });
    }
  });
  return { name, op, inputs, functions, dtype, shape, outputStream };
}

/** AttrValue.ListValue: the functions in it. */
function readFunctionList(list: MessageCursor, functions: string[]): void {
  eachField(list, (field) => {
    if (field.field === 9) functions.push(nameOf(field.message()));
  });
}

/** OpDef and NameAttrList both begin with their name. */
function nameOf(message: MessageCursor): string {
  let name = '';
  eachField(message, (field) => {
    if (field.field === 1) name = field.text();
  });
  return name;
}

/** A TensorShapeProto; undefined: even its rank is unknown. */
export function readShape(shape: MessageCursor): readonly number[] | undefined {
  const sizes: number[] = [];
  let isUnknown = false;
  eachField(shape, (field) => {
    if (field.field === 3) isUnknown = field.value !== 0;
    else if (field.field === 2) {
      let size = 0;
      eachField(field.message(), (part) => {
        if (part.field === 1) size = part.value;
      });
      sizes.push(size);
    }
  });
  return isUnknown ? undefined : sizes;
}
