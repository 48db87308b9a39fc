import type { IncomingMessage, ServerResponse } from 'node:http';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { SkeinError } from '../../protocol/errors.ts';
import { errorBody, httpStatus } from '../../protocol/v2/status.ts';
import { type ApiAnswer, type ApiCall, type ApiRoute, empty } from './api.ts';
import { readContentEncoding } from './content-coding.ts';
import { preflightHeaders } from './cors.ts';
import { decompressWhole } from './decompress-whole.ts';
import type { Front } from './front.ts';
import { refuse } from './refusal.ts';

/** Of calls that carry only a few parameters. */
const smallBodyBytes = 64 * 1024;

const noBody = new Uint8Array(0);

export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => void;

/** Everything but inference, routed by fastify. Errors, unknown paths and wrong methods are answered as V2 has them. */
export async function createApiRouter(front: Front, routes: readonly ApiRoute[]): Promise<RequestHandler> {
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    bodyLimit: smallBodyBytes,
    routerOptions: { maxParamLength: front.options.maxHeaderBytes, ignoreTrailingSlash: false },
    frameworkErrors: (_fault, _request, reply) => sendError(front, reply, new SkeinError('path_unknown')),
  });
  takeBodiesAsTheyAre(app);
  if (front.options.corsOrigin !== '') answerPreflights(front, app);
  app.setNotFoundHandler((_request, reply) => sendError(front, reply, new SkeinError('path_unknown')));
  app.setErrorHandler((fault: FastifyError, request, reply) => answerFault(front, fault, request, reply));
  for (const route of routes) addRoute(front, app, route);
  refuseOtherMethods(front, app, routes);
  await app.ready();
  return (req, res) => {
    req.url = withPlainEscapes(req.url!);
    delete req.headers['content-type']; // V2 reads JSON whatever a client calls it
    app.routing(req, res);
  };
}

/** Fastify decodes a path before it matches; names are looked up as they are written, so escapes are escaped. */
function withPlainEscapes(url: string): string {
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  return path.includes('%') ? path.replaceAll('%', '%25') + url.slice(path.length) : url;
}

function takeBodiesAsTheyAre(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

function addRoute(front: Front, app: FastifyInstance, route: ApiRoute): void {
  const { method, path, handle, admit, bodyLimitBytes } = route;
  app.route({
    method,
    url: path,
    bodyLimit: bodyLimitBytes ?? smallBodyBytes,
    onRequest: async (request) => admit?.(request.raw),
    handler: async (request, reply) => {
      send(front, reply, await handle(await readCall(request)));
      return reply;
    },
  });
}

async function readCall(request: FastifyRequest): Promise<ApiCall> {
  const path = request.params as Record<string, string>;
  if (Object.values(path).includes('')) throw new SkeinError('path_unknown');
  const sent = request.body instanceof Uint8Array ? request.body : noBody;
  const coding = sent.byteLength === 0 ? undefined : readContentEncoding(request.headers['content-encoding']);
  return {
    request: request.raw,
    path,
    query: request.query as ApiCall['query'],
    body: coding === undefined ? sent : await decompressWhole(sent, coding, request.routeOptions.bodyLimit),
  };
}

function refuseOtherMethods(front: Front, app: FastifyInstance, routes: readonly ApiRoute[]): void {
  const allowed = Map.groupBy(routes, ({ path }) => path);
  for (const [url, sharing] of allowed) {
    const methods = sharing.map(({ method }) => method as string);
    app.route({
      method: app.supportedMethods.filter((method) => !methods.includes(method)),
      url,
      handler: (_request, reply) => {
        const allowed = methods.join(', ');
        reply.header('Allow', allowed);
        sendError(front, reply, new SkeinError('method_wrong', { allowed }));
      },
    });
  }
}

function answerPreflights(front: Front, app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const { method, headers } = request;
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return;
    reply.headers(preflightHeaders(headers['access-control-request-headers']));
    send(front, reply, empty);
    return reply;
  });
}

function answerFault(front: Front, fault: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const error = judge(fault, request);
  if (error.kind === 'internal' && !request.raw.destroyed) {
    front.log('call failed', { method: request.method, url: request.raw.url, error });
  }
  if (error.kind === 'too_large') {
    // Fastify would close the connection with the body unread, which takes the answer away from a client that sends.
    reply.hijack();
    refuse(request.raw, reply.raw, error, { fixedHeaders: front.fixedHeaders });
  } else sendError(front, reply, error);
}

function judge(fault: FastifyError, request: FastifyRequest): SkeinError {
  const limitBytes = request.routeOptions.bodyLimit;
  if (fault.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const sent = request.headers['content-length'];
    return sent === undefined
      ? new SkeinError('body_grew_too_large', { how: 'is', limitBytes })
      : new SkeinError('body_too_large', { bodyBytes: sent, limitBytes });
  }
  const isClients = fault.statusCode !== undefined && fault.statusCode < 500;
  return isClients ? new SkeinError('http_malformed', { reason: fault.message }) : SkeinError.from(fault);
}

function sendError(front: Front, reply: FastifyReply, error: SkeinError): void {
  const retryAfter = error.facts['retryAfterSeconds'];
  if (retryAfter !== undefined) reply.header('Retry-After', Math.max(1, Math.ceil(Number(retryAfter))));
  send(front, reply, { status: httpStatus(error.kind), body: errorBody(error) });
}

/** As bytes: a text would have its type completed with a charset, which JSON does not have. */
function send(front: Front, reply: FastifyReply, { status, body }: ApiAnswer): void {
  const { fixedHeaders } = front;
  for (let i = 0; i < fixedHeaders.length; i += 2) reply.header(fixedHeaders[i]!, fixedHeaders[i + 1]);
  reply.code(status);
  if (body === undefined) reply.send();
  else reply.header('Content-Type', 'application/json').send(Buffer.from(body));
}
