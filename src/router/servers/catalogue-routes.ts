import type { IncomingMessage } from 'node:http';
import type { RouteTarget } from '../../fleet/catalogue-entry.ts';
import { SkeinError } from '../../protocol/errors.ts';
import { excerpt } from '../../protocol/v2/excerpt.ts';
import type { FleetDesk, ModelWish } from '../mesh/fleet-desk.ts';
import { type ApiAnswer, type ApiCall, type ApiRoute, json } from './api.ts';
import { readModelName } from './model-name.ts';
import type { ServerOptions } from './server-options.ts';

/** Changes of the catalogue and of what is wanted of backends. Without a registry they say what they need. */
export function catalogueRoutes(desk: FleetDesk | undefined, options: ServerOptions): ApiRoute[] {
  const admit = (request: IncomingMessage) => refusePages(request, options);
  const post = (
    path: string,
    handle: (desk: FleetDesk, call: ApiCall, body: Fields) => Promise<unknown>,
  ): ApiRoute => ({
    method: 'POST',
    path,
    admit,
    handle: async (call): Promise<ApiAnswer> => {
      if (desk === undefined) throw new SkeinError('catalogue_fixed', { what: path });
      return json(await handle(desk, call, readFields(call.body)));
    },
  });
  return [
    post('/fleet/models/:model', async (to, call, body) => {
      const { ifRevision, ...wish } = body;
      return { revision: await to.register(nameIn(call), wish as ModelWish, revisionIn(ifRevision)) };
    }),
    post('/fleet/models/:model/remove', async (to, call, { ifRevision }) => {
      await to.remove(nameIn(call), revisionIn(ifRevision));
      return {};
    }),
    post('/fleet/models/:model/label', async (to, call, { label, version }) => ({
      revision: await to.label(nameIn(call), textIn('label', label), versionIn(version)),
    })),
    post('/fleet/routes/:model', async (to, call, { targets, ifRevision }) => ({
      revision: await to.route(nameIn(call), (targets ?? []) as RouteTarget[], revisionIn(ifRevision)),
    })),
    post('/fleet/backends/:backend/drain', async (to, { path }, { wanted = true }) => {
      await to.drain(path['backend']!, switchIn('wanted', wanted));
      return {};
    }),
    post('/fleet/registry', async (to, _call, { decision }) => {
      if (decision !== 'restore' && decision !== 'accept') {
        throw unknownValue('decision', decision, 'restore, accept');
      }
      await to.decide(decision);
      return {};
    }),
  ];
}

type Fields = Readonly<Record<string, unknown>>;

function nameIn({ path }: ApiCall): string {
  return readModelName(path['model']!);
}

function readFields(body: Uint8Array): Fields {
  if (body.byteLength === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString());
  } catch (fault) {
    throw new SkeinError('json_malformed', { reason: (fault as Error).message, offset: 0 });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SkeinError('body_kind', { wanted: 'a JSON object' });
  }
  return value as Fields;
}

function revisionIn(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw unknownValue('ifRevision', value, 'whole numbers from 0');
}

function textIn(parameter: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw unknownValue(parameter, value, 'texts');
}

function switchIn(parameter: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw unknownValue(parameter, value, 'true, false');
}

/** null takes the label away; which versions there are is the entry's to know. */
function versionIn(value: unknown): number | undefined {
  if (value === null) return undefined;
  if (typeof value === 'number') return value;
  throw unknownValue('version', value, 'versions of the model, null');
}

function unknownValue(parameter: string, value: unknown, known: string): SkeinError {
  return new SkeinError('query_unknown', { parameter, value: excerpt(String(value)), known });
}

/** Any page that an operator looks at could send such a call: only the origin that CORS lets in is believed. */
function refusePages({ headers }: IncomingMessage, { corsOrigin }: ServerOptions): void {
  const { origin } = headers;
  if (origin !== undefined && origin !== corsOrigin)
    throw new SkeinError('page_refused', { origin: origin.slice(0, 256) });
}
