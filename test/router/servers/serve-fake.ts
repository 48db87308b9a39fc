import type { TestContext } from 'node:test';
import { FrontMetrics } from '../../../src/router/metrics/front-metrics.ts';
import { ModelLabels } from '../../../src/router/metrics/model-labels.ts';
import type { ServerTools } from '../../../src/router/servers/front.ts';
import { createRouterServer } from '../../../src/router/servers/http-server.ts';
import type { RouterServer } from '../../../src/router/servers/router-server.ts';
import { defaultServerOptions, type ServerOptions } from '../../../src/router/servers/server-options.ts';
import { type Exchange, type ExchangeOptions, exchange } from '../../fixtures/raw-http.ts';
import { FakeMesh } from './fake-mesh.ts';

export interface Served {
  readonly mesh: FakeMesh;
  readonly server: RouterServer;
  readonly metrics: FrontMetrics;
  readonly tools: ServerTools;
  readonly url: string;
  readonly logged: string[];
  /** Sends the very bytes. */
  send(request: string | Uint8Array, options?: ExchangeOptions): Promise<Exchange>;
}

/** The real server on a real port, before a fake mesh; closed when the test ends. */
export async function serveFake(
  t: Pick<TestContext, 'after'>,
  options: Partial<ServerOptions> = {},
  tools: Partial<ServerTools> = {},
): Promise<Served> {
  const mesh = new FakeMesh();
  const logged: string[] = [];
  const allTools: ServerTools = {
    retention: { usedBytes: 0, limitBytes: 64 * 1024 * 1024, perRequestBytes: 8 * 1024 * 1024 },
    metrics: new FrontMetrics(new ModelLabels(100)),
    log: (message) => logged.push(message),
    ...tools,
  };
  const server = await createRouterServer(mesh, { ...defaultServerOptions, ...options }, allTools);
  await server.listen({ port: 0, host: '127.0.0.1' });
  t.after(() => server.close(0));
  const url = `http://127.0.0.1:${server.port}`;
  return {
    ...{ mesh, server, metrics: allTools.metrics, tools: allTools, url, logged },
    send: (request, exchangeOptions) =>
      exchange(url, typeof request === 'string' ? Buffer.from(request, 'latin1') : request, exchangeOptions),
  };
}

/** One request in HTTP/1.1 with the headers that must be there. */
export function http(
  method: string,
  path: string,
  body?: string | Uint8Array,
  headers: Record<string, string> = {},
): Buffer {
  const bytes = Buffer.from(body ?? '');
  const lines = Object.entries(body === undefined ? headers : { 'Content-Length': String(bytes.length), ...headers });
  const head = [`${method} ${path} HTTP/1.1`, 'Host: h', ...lines.map(([name, value]) => `${name}: ${value}`), '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), bytes]);
}

/** Until `holds`, looking at every turn of the event loop; the limit is there for tests that fail. */
export async function until(holds: () => boolean, limitMs = 15_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`still not so after ${limitMs} ms: ${holds}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
