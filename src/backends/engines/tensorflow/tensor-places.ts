import { graphPlace } from './graph-place.ts';
import type { GraphSignature } from './saved-model.ts';
import type { GraphPlace, Pointer, TensorflowApi } from './tensorflow-api.ts';

/** TF_Output: a pointer to the operation and the number of its output, padded. */
const placeBytes = 16;

/** Sets of outputs that are remembered of a signature: clients ask for the same few. */
const maxRemembered = 64;

/** Where the tensors of one signature are in their graph, as runs name them to C. */
export class TensorPlaces {
  readonly #inputs: ReadonlyMap<string, GraphPlace>;
  readonly #outputs: ReadonlyMap<string, GraphPlace>;
  /** Arrays of TF_Output by the names in them. */
  readonly #inputArrays = new Map<string, Buffer>();
  readonly #outputArrays = new Map<string, Buffer>();

  /** Throws where the graph does not have them. */
  constructor(api: TensorflowApi, graph: Pointer, { signature, inputs, outputs }: GraphSignature) {
    const find =
      (side: string) =>
      ([name, tensor]: readonly [string, string]): [string, GraphPlace] => {
        const place = graphPlace(api, graph, tensor);
        if (place !== undefined) return [name, place];
        throw new Error(
          `signature '${signature.name}': ${side} '${name}' is '${tensor}', which the graph does not have`,
        );
      };
    this.#inputs = new Map([...inputs].map(find('input')));
    this.#outputs = new Map([...outputs].map(find('output')));
  }

  inputs(names: readonly string[]): Buffer {
    return placesOf(names, this.#inputs, this.#inputArrays);
  }

  outputs(names: readonly string[]): Buffer {
    return placesOf(names, this.#outputs, this.#outputArrays);
  }
}

function placesOf(
  names: readonly string[],
  places: ReadonlyMap<string, GraphPlace>,
  known: Map<string, Buffer>,
): Buffer {
  const key = names.length === 1 ? names[0]! : names.join('\n');
  const found = known.get(key);
  if (found !== undefined) return found;
  const array = Buffer.from(new ArrayBuffer(Math.max(128, names.length * placeBytes)));
  names.forEach((name, i) => {
    const place = places.get(name);
    if (place === undefined) throw new Error(`the signature has no tensor '${name}'`);
    array.writeBigUInt64LE(place.oper, i * placeBytes);
    array.writeInt32LE(place.index, i * placeBytes + 8);
  });
  if (known.size >= maxRemembered) known.clear();
  known.set(key, array);
  return array;
}
