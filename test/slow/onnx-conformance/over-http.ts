import type { SkeinProcess } from '../../fixtures/skein-process.ts';
import { inferBinary, type WireTensor } from '../../fixtures/v2-client.ts';
import { difference } from './close-enough.ts';
import type { ConformanceCase } from './conformance-case.ts';
import { nameOf } from './reference.ts';

/** What a client of the server sees of a case. */
export type HttpVerdict =
  | { readonly kind: 'passes' }
  | { readonly kind: 'differs'; readonly why: string }
  | { readonly kind: 'refused'; readonly status: number; readonly why: string };

interface Metadata {
  readonly inputs: readonly { readonly name: string }[];
  readonly outputs: readonly { readonly name: string }[];
}

/** Asks for the metadata first, as a client that does not know the model would. */
export async function verdictOverHttp({ http }: SkeinProcess, { name, data }: ConformanceCase): Promise<HttpVerdict> {
  const described = await fetch(`${http}/v2/models/${name}`);
  if (!described.ok) return { kind: 'refused', status: described.status, why: await errorOf(described) };
  const metadata = (await described.json()) as Metadata;
  if (data === undefined) return { kind: 'differs', why: 'described as a model of tensors' };
  const outcome = await inferBinary(http, name, renamed(data.inputs, metadata.inputs));
  if (!('outputs' in outcome)) return { kind: 'refused', status: outcome.status, why: outcome.error };
  const why = renamed(data.outputs, metadata.outputs)
    .map((wanted) =>
      difference(
        outcome.outputs.find((output) => output.name === wanted.name),
        wanted,
      ),
    )
    .find((found) => found !== undefined);
  return why === undefined ? { kind: 'passes' } : { kind: 'differs', why };
}

function renamed(tensors: readonly WireTensor[], declared: Metadata['inputs']): WireTensor[] {
  const names = declared.map((tensor) => tensor.name);
  return tensors.map((tensor, i) => ({ ...tensor, name: nameOf(tensor, names, i) }));
}

async function errorOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: string }).error;
}
