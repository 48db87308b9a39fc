/** Requests that can be told apart, and what the right answer to each is. */
import { denseAnswerToOnes } from '../fixtures/many-models.ts';
import { binaryRequest, floatTensor, type InferRequest } from '../fixtures/traffic/infer-request.ts';

export interface ChaosRequest extends InferRequest {
  /** Its name in the ledger; the server has to give it back. */
  readonly number: number;
  readonly rows: readonly number[];
}

export const modelBytes = 2 ** 16;
const width = 16;
const ones = denseAnswerToOnes(modelBytes);
/** Of single precision, by the largest value of a row. */
const tolerance = 1e-4 * Math.max(...ones.map(Math.abs));

/** One to three rows that no other request of the last hundreds has: whoever gets another's rows notices. */
export function chaosRequest(number: number, model: string): ChaosRequest {
  const rows = Array.from({ length: 1 + (number % 3) }, (_, row) => 1 + ((number * 7 + row) % 4_093) / 4_096);
  const input = floatTensor('input', [rows.length, width], (i) => rows[Math.floor(i / width)]!);
  return { ...binaryRequest(model, [input], `${number}`), number, rows };
}

/** What is wrong with an answer of status 200; undefined where nothing is. */
export function faultOf(request: ChaosRequest, body: Buffer, headerBytes: number): string | undefined {
  const { id, outputs } = JSON.parse(body.toString('utf8', 0, headerBytes)) as Answer;
  if (id !== `${request.number}`) return `the answer of request ${id}`;
  let at = headerBytes;
  const found = new Map<string, Float32Array>();
  for (const { name, parameters } of outputs) {
    const bytes = parameters.binary_data_size;
    found.set(name, new Float32Array(new Uint8Array(body.subarray(at, at + bytes)).buffer));
    at += bytes;
  }
  if (at !== body.length) return `an answer of ${body.length} bytes, expected ${at}`;
  const [output, index] = [found.get('output') ?? [], found.get('index') ?? []];
  const wanted = request.rows.flatMap((row) => ones.map((one) => row * one));
  if (output.length !== wanted.length || index.length !== request.rows.length) return 'an answer of another shape';
  if (index.some((found) => found !== modelNumber(request.model))) return `the answer of model ${index.join(', ')}`;
  const isNear = wanted.every((value, i) => Math.abs(output[i]! - value) <= 2 * tolerance);
  return isNear ? undefined : `wrong values: ${output[0]} for ${wanted[0]}`;
}

interface Answer {
  readonly id?: string;
  readonly outputs: readonly { readonly name: string; readonly parameters: { readonly binary_data_size: number } }[];
}

function modelNumber(model: string): number {
  return Number(model.split('_').at(-1));
}
