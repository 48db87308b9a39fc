import { SkeinError } from '../../protocol/errors.ts';
import type { ServerMetadata } from '../../protocol/v2/server-metadata.ts';
import { type ApiAnswer, type ApiRoute, empty, json } from './api.ts';
import type { Front } from './front.ts';

/** What Triton calls extensions, as far as Skein has them. */
const extensions = [
  'classification',
  'model_repository',
  'schedule_policy',
  'model_configuration',
  'binary_tensor_data',
  'parameters',
  'statistics',
];

/** Of the server as a whole: what it is, and whether it serves. */
export function serverRoutes(front: Front): ApiRoute[] {
  const metadata: ServerMetadata = { name: 'skein', version: front.options.version, extensions };
  const described = json(metadata);
  return [
    // The protocol's own documents have it in both forms.
    ...['/v2', '/v2/'].map((path): ApiRoute => ({ method: 'GET', path, handle: () => described })),
    { method: 'GET', path: '/v2/health/live', handle: () => empty },
    { method: 'GET', path: '/v2/health/ready', handle: () => (isReady(front) ? empty : notReady) },
  ];
}

/** A server that drains says so before it goes, so that a balancer stops sending. */
function isReady(front: Front): boolean {
  return !front.isClosing && front.mesh.isReady();
}

/** Status and nothing else, as Triton's clients expect. */
const notReady: ApiAnswer = { status: 400, body: undefined };

/** Endpoints of Triton for what Skein does not do: the answer says so, and what to do instead. */
export function unsupportedRoutes(): ApiRoute[] {
  return [
    ...['system', 'cuda'].flatMap(sharedMemoryRoutes),
    ...['/v2/trace/setting', '/v2/models/:model/trace/setting'].flatMap((path) =>
      unsupported(path, 'changing what is traced', 'name an OpenTelemetry collector at start, with --otlp-endpoint'),
    ),
    ...unsupported('/v2/logging', 'changing what is logged', 'choose it at start, with --log-level'),
    ...['generate', 'generate_stream'].flatMap((action) =>
      ['/v2/models/:model', '/v2/models/:model/versions/:version(^\\d+$)'].map(
        (model): ApiRoute => ({
          method: 'POST',
          path: `${model}/${action}`,
          handle: () => refuse(action, "Skein serves tensors; send them to the model's infer endpoint"),
        }),
      ),
    ),
  ];
}

function unsupported(path: string, endpoint: string, instead: string): ApiRoute[] {
  const handle = () => refuse(endpoint, instead);
  return [
    { method: 'GET', path, handle },
    { method: 'POST', path, handle },
  ];
}

function refuse(endpoint: string, instead: string): never {
  throw new SkeinError('endpoint_unsupported', { endpoint, instead });
}

/** Clients may ask what is shared, and are told truly: nothing. */
function sharedMemoryRoutes(memory: string): ApiRoute[] {
  const base = `/v2/${memory}sharedmemory`;
  const disabled = () => {
    throw new SkeinError('shared_memory_disabled');
  };
  return [
    { method: 'GET', path: `${base}/status`, handle: () => json([]) },
    {
      method: 'GET',
      path: `${base}/region/:region/status`,
      handle: ({ path }) => {
        throw new SkeinError('region_unknown', { memory, region: path['region']! });
      },
    },
    { method: 'POST', path: `${base}/region/:region/register`, handle: disabled },
    { method: 'POST', path: `${base}/region/:region/unregister`, handle: disabled },
    { method: 'POST', path: `${base}/unregister`, handle: disabled },
  ];
}
