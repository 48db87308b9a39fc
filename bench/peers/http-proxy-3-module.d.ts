declare module 'http-proxy-3' {
  import type { Agent, IncomingMessage, ServerResponse } from 'node:http';

  interface Proxy {
    on(event: 'error', listener: (fault: Error, request: IncomingMessage, response: unknown) => void): void;
    web(request: IncomingMessage, response: ServerResponse): void;
  }
  const httpProxy: { createProxyServer(options: { target: string; agent: Agent }): Proxy };
  export default httpProxy;
}
