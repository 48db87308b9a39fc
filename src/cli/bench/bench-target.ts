import { readFileSync } from 'node:fs';
import { settingsTable } from '../../config/settings-table.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { ModelMetadata } from '../../protocol/v2/model-metadata.ts';
import type { RepositoryIndex } from '../../protocol/v2/repository-index.ts';
import type { StatisticsBody } from '../../protocol/v2/statistics.ts';
import type { AdminClient } from '../admin-client.ts';
import type { BenchPlan } from './bench-plan.ts';

import { type InferBody, inferBody } from './infer-body.ts';
import type { Endpoint, WireRequest } from './lane.ts';
import { predictRequest } from './predict-message.ts';

/** What is asked, and of whom. */
export interface BenchTarget {
  readonly endpoint: Endpoint;
  readonly models: readonly string[];
  /** One for each model, in their order. */
  readonly requests: readonly WireRequest[];
  /** Of the first model's request. */
  readonly bodyBytes: number;
  readonly rows: number;
}

/** Small bodies travel with their head; large ones are shared by all models that take the same. */
const joinedBytes = 16 * 1_024;

/** Asks the server about the models and makes a request for each. Throws `usage` or the server's refusal. */
export async function benchTarget(plan: BenchPlan, url: string, client: AdminClient): Promise<BenchTarget> {
  const models = await namedModels(plan.models, client);
  const bodies = new Map<string, InferBody>();
  const sent: { readonly model: string; readonly body: InferBody }[] = [];
  for (const model of models) sent.push({ model, body: await bodyFor(model, plan, client, bodies) });
  const { bytes, rows } = sent[0]!.body;
  return {
    endpoint: plan.body.kind === 'grpc' ? grpcEndpoint(url, plan.grpcUrl) : endpointOf(url),
    models,
    requests: sent.map(({ model, body }) =>
      plan.body.kind === 'grpc' ? predictRequest(model, body.bytes) : wireRequest(url, model, body),
    ),
    bodyBytes: bytes.byteLength,
    rows,
  };
}

/** Totals of the statistics extension, of one model; a server without it answers nothing. */
export async function readStatistics(model: string, client: AdminClient): Promise<StatisticsBody | undefined> {
  try {
    return (await client.get<StatisticsBody>(`${v2Path(model)}/stats`)).body;
  } catch (fault) {
    if (fault instanceof SkeinError && fault.code === 'server_refused') return undefined;
    throw fault;
  }
}

async function namedModels(patterns: readonly string[], client: AdminClient): Promise<string[]> {
  if (!patterns.some((pattern) => pattern.includes('*'))) return [...new Set(patterns)];
  const index = JSON.parse(await client.post('/v2/repository/index')) as RepositoryIndex;
  const known = [...new Set(index.map(({ name }) => name))].sort();
  const found = patterns.flatMap((pattern) => {
    if (!pattern.includes('*')) return [pattern];
    const expression = new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
    const matching = known.filter((name) => expression.test(name));
    if (matching.length > 0) return matching;
    const reason = `no model is called ${pattern}; the server has ${known.length === 0 ? 'none' : known.slice(0, 8).join(', ')}`;
    throw new SkeinError('usage', { reason: known.length > 8 ? `${reason}, …` : reason });
  });
  return [...new Set(found)];
}

async function bodyFor(
  model: string,
  { body, requestFile }: BenchPlan,
  client: AdminClient,
  made: Map<string, InferBody>,
): Promise<InferBody> {
  const { body: metadata } = await client.get<ModelMetadata>(v2Path(model));
  const key = requestFile ?? JSON.stringify(metadata.inputs);
  const known = made.get(key);
  if (known !== undefined) return known;
  const fresh =
    requestFile === undefined
      ? inferBody({ ...metadata, name: model }, body)
      : { bytes: readRequest(requestFile), jsonBytes: undefined, rows: body.batch };
  made.set(key, fresh);
  return fresh;
}

function readRequest(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (fault) {
    throw new SkeinError('usage', { reason: `--request: ${(fault as Error).message}` });
  }
}

function wireRequest(url: string, model: string, { bytes, jsonBytes }: InferBody): WireRequest {
  const { host, pathname } = new URL(url);
  const lines = [
    `POST ${pathname.replace(/\/$/, '')}${v2Path(model)}/infer HTTP/1.1`,
    `Host: ${host}`,
    `Content-Type: application/${jsonBytes === undefined ? 'json' : 'octet-stream'}`,
    ...(jsonBytes === undefined ? [] : [`Inference-Header-Content-Length: ${jsonBytes}`]),
    `Content-Length: ${bytes.byteLength}`,
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  return bytes.byteLength <= joinedBytes ? [Buffer.concat([head, bytes])] : [head, bytes];
}

function endpointOf(url: string): Endpoint {
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === 'https:';
  // Brackets of an IPv6 address belong to the URL.
  const host = hostname.replace(/^\[|\]$/g, '');
  return { protocol: 'http', host, port: Number(port || (isSecure ? 443 : 80)), isSecure };
}

function grpcEndpoint(url: string, grpcUrl: string | undefined): Endpoint {
  const endpoint = endpointOf(grpcUrl ?? url);
  return {
    ...endpoint,
    protocol: 'grpc',
    port: grpcUrl === undefined ? settingsTable.grpcPort.default : endpoint.port,
  };
}

function v2Path(model: string): string {
  return `/v2/models/${encodeURIComponent(model)}`;
}
