import { SkeinError } from '../errors.ts';
import type { WireReader } from '../protobuf/wire-reader.ts';

/** tensorflow.serving.Input, its examples as they were serialised: a model may parse them itself. */
export type ExamplesInput = readonly Uint8Array[];

/**
 * Reads an Input. A context, which all examples share, is put before each of them: serialised messages one after the
 * other are one message.
 */
export function readExamplesInput(reader: WireReader): ExamplesInput {
  let examples: Uint8Array[] = [];
  let context: Uint8Array | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 1 && field !== 2) {
      reader.skip();
      continue;
    }
    context = undefined;
    examples = reader.message((inner) => {
      const list: Uint8Array[] = [];
      for (let member = inner.next(); member !== 0; member = inner.next()) {
        if (member === 1) list.push(inner.bytes());
        else if (member === 2 && field === 2) context = inner.bytes();
        else inner.skip();
      }
      return list;
    });
  }
  if (examples.length === 0) throw new SkeinError('examples_missing');
  return context === undefined ? examples : examples.map((example) => Buffer.concat([context!, example]));
}
