import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listenAt } from '../servers/router-server.ts';
import { metricsContentType } from './merge-metrics.ts';

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Scrapers are few; a flood of them must not take the router's time. */
const maxConnections = 64;

/** GET /metrics, and an empty answer at `/` for whoever looks whether somebody is there, as Triton has it. */
export async function serveMetrics(
  at: { port: number; host: string },
  collect: () => Promise<string>,
): Promise<MetricsServer> {
  const server = createServer({ headersTimeout: 4_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 });
  server.maxConnections = maxConnections;
  let scrape: Promise<string> | undefined;
  server.on('request', async (req, res) => {
    const path = req.url!.split('?', 1)[0];
    if (path !== '/' && path !== '/metrics') return answer(res, 404, 'Not Found\n');
    if (req.method !== 'GET' && req.method !== 'HEAD')
      return answer(res, 405, 'Method Not Allowed\n', { Allow: 'GET, HEAD' });
    if (path === '/') return answer(res, 200, '');
    try {
      // Scrapes at the same time share one collection.
      scrape ??= collect().finally(() => {
        scrape = undefined;
      });
      answer(res, 200, await scrape);
    } catch (fault) {
      answer(res, 500, `metrics cannot be collected: ${(fault as Error).message}\n`);
    }
  });
  await listenAt(server, at);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(res: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  const type = text === '' ? {} : { 'Content-Type': status === 200 ? metricsContentType : 'text/plain' };
  res.writeHead(status, { ...type, ...headers, 'Content-Length': Buffer.byteLength(text) });
  res.end(text);
}
