/** Answers as TensorFlow Serving's clients read them. */
import { WireReader } from '../../../src/protocol/protobuf/wire-reader.ts';
import { readModelSpec } from '../../../src/protocol/tfserving/model-spec.ts';
import { readTensorProto } from '../../../src/protocol/tfserving/tensor-proto.ts';

type Take = (reader: WireReader, field: number) => boolean;

function fields(reader: WireReader, take: Take): void {
  for (let field = reader.next(); field !== 0; field = reader.next()) if (!take(reader, field)) reader.skip();
}

export function readPredictResponse(bytes: Uint8Array) {
  const outputs = new Map<string, { shape: readonly number[]; bytes: Buffer }>();
  let spec: ReturnType<typeof readModelSpec> | undefined;
  fields(new WireReader([bytes]), (reader, field) => {
    if (field === 1) {
      reader.message((entry) => {
        let name = '';
        fields(entry, (inner, number) => {
          if (number === 1) name = inner.string();
          else {
            const { shape, parts } = inner.message((value) => readTensorProto(value, name));
            outputs.set(name, { shape, bytes: Buffer.concat(parts) });
          }
          return true;
        });
      });
    } else spec = reader.message(readModelSpec);
    return true;
  });
  return { outputs, spec };
}

type ReadResult = { classes?: [label: string, score: number][][]; values?: number[] };

function readResult(reader: WireReader, kind: 'classify' | 'regress'): ReadResult {
  const classes: [string, number][][] = [];
  const values: number[] = [];
  fields(reader, (result) => {
    result.message((one) => {
      const row: [string, number][] = [];
      let value = 0;
      fields(one, (inner) => {
        if (kind === 'regress') value = inner.float();
        else row.push(inner.message(readClass));
        return true;
      });
      classes.push(row);
      values.push(value);
    });
    return true;
  });
  return kind === 'regress' ? { values } : { classes };
}

function readClass(reader: WireReader): [string, number] {
  let label = '';
  let score = 0;
  fields(reader, (inner, field) => {
    if (field === 1) label = inner.string();
    else score = inner.float();
    return true;
  });
  return [label, score];
}

export function readResultResponse(bytes: Uint8Array, kind: 'classify' | 'regress'): ReadResult {
  let result: ReadResult = {};
  fields(new WireReader([bytes]), (reader, field) => {
    if (field === 1) result = reader.message((inner) => readResult(inner, kind));
    return field === 1;
  });
  return result;
}

export function readMultiInferenceResponse(bytes: Uint8Array): ReadResult[] {
  const results: ReadResult[] = [];
  fields(new WireReader([bytes]), (reader) => {
    reader.message((one) =>
      fields(one, (inner, field) => {
        if (field > 1) results.push(inner.message((value) => readResult(value, field === 2 ? 'classify' : 'regress')));
        return field > 1;
      }),
    );
    return true;
  });
  return results;
}
