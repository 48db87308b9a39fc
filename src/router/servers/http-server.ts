import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Mesh } from '../mesh/mesh-port.ts';
import { createApiRouter } from './api-router.ts';
import { catalogueRoutes } from './catalogue-routes.ts';
import { ConnectionGate } from './connection-gate.ts';
import { fleetRoutes } from './fleet-routes.ts';
import { Front, type ServerTools } from './front.ts';
import { answerHttpFault } from './http-faults.ts';
import { closeIdleConnections, wholeRequestLimitMs } from './idle-connections.ts';
import { modelRoutes } from './model-routes.ts';
import { repositoryRoutes } from './repository-routes.ts';
import { RequestDoor } from './request-door.ts';
import { type ListenAt, listenAt, portOf, type RouterServer } from './router-server.ts';
import type { ServerOptions } from './server-options.ts';
import { serverRoutes, unsupportedRoutes } from './server-routes.ts';
import { StrictFront } from './strict-front.ts';
import { v1Routes } from './v1-routes.ts';

/** How late header time-outs may be noticed. */
const checkIntervalMs = 500;

/** While it closes: how long a connection that has become idle may stay. */
const idleSweepMs = 100;

/** The HTTP endpoint of one router process: V2, TensorFlow Serving's REST API, and the admin API. */
export async function createRouterServer(
  mesh: Mesh,
  options: ServerOptions,
  tools: ServerTools,
): Promise<RouterServer> {
  const front = new Front(mesh, options, tools);
  const gate = new ConnectionGate(front);
  const api = await createApiRouter(front, [
    ...serverRoutes(front),
    ...modelRoutes(mesh),
    ...repositoryRoutes(mesh, options),
    ...fleetRoutes(mesh),
    ...catalogueRoutes(tools.desk, options),
    ...v1Routes(mesh),
    ...unsupportedRoutes(),
  ]);
  const server = createServer({
    maxHeaderSize: options.maxHeaderBytes,
    headersTimeout: options.headersTimeoutMs,
    requestTimeout: wholeRequestLimitMs(options),
    connectionsCheckingInterval: checkIntervalMs,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    requireHostHeader: false, // the door refuses what has none, in the form of all errors
    noDelay: true,
  });
  const strict = new StrictFront(server, front);
  const leave = (socket: Socket) => strict.leave(socket);
  gate.guard(server, options.readsStrictly === false ? leave : (socket) => strict.take(socket), leave);
  closeIdleConnections(server, front);
  const door = new RequestDoor(front, api);
  const isOurs = (req: IncomingMessage) => !gate.isTurnedAway(req.socket);
  server.on('request', (req, res) => isOurs(req) && door.enter(req, res, false));
  server.on('checkContinue', (req, res) => isOurs(req) && door.enter(req, res, true));
  server.on('checkExpectation', (req, res) => isOurs(req) && door.refuseExpectation(req, res));
  server.on('clientError', (fault, socket) => answerHttpFault(front, fault, socket as Socket));
  return new ListeningServer(server, front, gate, strict);
}

class ListeningServer implements RouterServer {
  readonly #server: Server;
  readonly #front: Front;
  readonly #gate: ConnectionGate;
  readonly #strict: StrictFront;

  constructor(server: Server, front: Front, gate: ConnectionGate, strict: StrictFront) {
    this.#server = server;
    this.#front = front;
    this.#gate = gate;
    this.#strict = strict;
  }

  get port(): number {
    return portOf(this.#server);
  }

  listen(at: ListenAt): Promise<void> {
    return listenAt(this.#server, at);
  }

  async close(graceMs: number): Promise<void> {
    this.#front.startClosing();
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#gate.closeSilent();
    // A connection whose last answer had begun before is idle after it, and would stay.
    this.#strict.closeIdle();
    const sweep = setInterval(() => {
      this.#server.closeIdleConnections();
      this.#strict.closeIdle();
    }, idleSweepMs);
    const cut = setTimeout(() => {
      this.#server.closeAllConnections();
      this.#strict.closeAll();
    }, graceMs);
    await closed;
    clearTimeout(cut);
    clearInterval(sweep);
    this.#front.stalledBodies.stop();
  }
}
