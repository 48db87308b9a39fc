import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { type Datatype, elementBytes } from '../../../src/protocol/tensors/datatype.ts';
import { elementCount, type Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { decodeInferRequest } from '../../../src/protocol/v2/decode-infer.ts';
import { encodeInferResponse } from '../../../src/protocol/v2/encode-infer.ts';
import { identity } from './recorded-models.ts';

const datatypes = Object.keys(elementBytes) as Datatype[];
const halfFloats = ['FP16', 'BF16'];

/** Any bytes are a tensor of most datatypes; a boolean is 0 or 1, and a string says how long it is. */
function tensorOf(datatype: Datatype, jsonOnly: boolean): fc.Arbitrary<Tensor> {
  return fc.array(fc.nat(4), { maxLength: 4 }).chain((shape) => {
    const length = elementCount(shape);
    const elements = fc.array(elementOf(datatype, jsonOnly), { minLength: length, maxLength: length });
    return elements.map((parts) => {
      const bytes = Buffer.concat(parts);
      return { name: 'INPUT0', datatype, shape, parts: [bytes], byteLength: bytes.length };
    });
  });
}

function elementOf(datatype: Datatype, jsonOnly: boolean): fc.Arbitrary<Uint8Array> {
  if (datatype === 'BOOL') return fc.boolean().map((value) => Uint8Array.of(Number(value)));
  if (datatype === 'BYTES') {
    const bytes = jsonOnly ? fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)) : fc.uint8Array();
    return bytes.map((value) => Buffer.concat([Uint8Array.from([value.length, 0, 0, 0]), value]));
  }
  // the one thing that JSON does not keep is the payload of a NaN
  if (jsonOnly && datatype === 'FP32') return fc.float().map((value) => new Uint8Array(Float32Array.of(value).buffer));
  if (jsonOnly && datatype === 'FP64') return fc.double().map((value) => new Uint8Array(Float64Array.of(value).buffer));
  return fc.uint8Array({ minLength: elementBytes[datatype], maxLength: elementBytes[datatype] });
}

/** The answer of a model that gives its input back is a request again, once `outputs` is called `inputs`. */
function requestOf(tensor: Tensor, binary: boolean): { bytes: Buffer; headerLength: number | undefined } {
  const answer = encodeInferResponse({ model: 'm', version: '1', outputs: [{ tensor, binary, classCount: 0 }] });
  const bytes = Buffer.concat(answer.parts);
  assert.equal(bytes.length, answer.byteLength);
  const header = bytes.toString('utf8', 0, answer.headerLength ?? bytes.length).replace('"outputs":', '"inputs":');
  const asked = binary ? header.replace(/}$/, ',"parameters":{"binary_data_output":true}}') : header;
  const text = Buffer.from(asked);
  const behind = bytes.subarray(answer.headerLength ?? bytes.length);
  return { bytes: Buffer.concat([text, behind]), headerLength: binary ? text.length : undefined };
}

const contents = (tensor: Tensor) => ({ ...tensor, parts: Buffer.concat(tensor.parts) });
const schemaOf = ({ datatype, shape }: Tensor) =>
  identity(
    'm',
    datatype,
    0,
    shape.map(() => -1),
  );

function cut(bytes: Buffer, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

describe('encodeInferResponse and decodeInferRequest', () => {
  for (const binary of [true, false]) {
    for (const datatype of datatypes.filter((name) => binary || !halfFloats.includes(name))) {
      test(`keep ${datatype} in ${binary ? 'binary' : 'JSON'}, however the body is cut into pieces`, () => {
        fc.assert(
          fc.property(tensorOf(datatype, !binary), fc.array(fc.nat(), { maxLength: 6 }), (tensor, places) => {
            const { bytes, headerLength } = requestOf(tensor, binary);
            const request = decodeInferRequest(cut(bytes, places), headerLength, schemaOf(tensor));
            assert.deepEqual(request.inputs.map(contents), [contents(tensor)]);
          }),
          { numRuns: 60 },
        );
      });
    }
  }

  test('refuse damaged bodies as the fault of the client, and fail in no other way', () => {
    const damage = fc.record({
      keep: fc.double({ min: 0, max: 1, noNaN: true }),
      changes: fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('{}[]",:0-eN\\')))), {
        maxLength: 4,
      }),
      header: fc.option(fc.integer({ min: -2, max: 300 })),
    });
    const tensors = fc.constantFrom(...datatypes.filter((name) => !halfFloats.includes(name)));
    fc.assert(
      fc.property(
        tensors.chain((name) => tensorOf(name, true)),
        fc.boolean(),
        damage,
        (tensor, binary, how) => {
          const request = requestOf(tensor, binary);
          const bytes = request.bytes.subarray(0, Math.ceil(request.bytes.length * how.keep));
          for (const [place, byte] of how.changes) if (bytes.length > 0) bytes[place % bytes.length] = byte;
          try {
            decodeInferRequest([bytes], how.header ?? request.headerLength, schemaOf(tensor));
          } catch (fault) {
            assert.ok(fault instanceof SkeinError, String((fault as Error).stack));
            assert.ok(['invalid', 'unsupported', 'too_large'].includes(fault.kind), fault.message);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('refuse long bodies that never close what they open', () => {
    // a reader that looked at its bytes again and again would need minutes for these
    const huge = 400_000;
    for (const data of ['"\\u0041",', '[[1]],', '"]",', '1e5,', '{"a":[]},', '[']) {
      const text = `{"inputs":[{"name":"INPUT0","shape":[${huge}],"datatype":"BYTES","data":[${data.repeat(huge)}`;
      assert.throws(
        () => decodeInferRequest([Buffer.from(text)], undefined, identity('m', 'BYTES', 0, [-1])),
        SkeinError,
      );
    }
  });
});
