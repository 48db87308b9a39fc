/** A fake of the least of servers: rows of numbers in, rows of numbers out, and GET / to see whether it lives. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Behaviour, ScriptedServer, SeenRequest } from '../scripted-server.ts';

export async function startFakeRowServer(): Promise<ScriptedServer> {
  const seen: SeenRequest[] = [];
  const counts = { begun: 0, givenUp: 0 };
  let behaviour: Behaviour = { kind: 'echo' };
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      response.end();
      return;
    }
    counts.begun += 1;
    response.on('close', () => {
      if (!response.writableFinished) counts.givenUp += 1;
    });
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces);
    seen.push({ model: (request.url ?? '').slice(1), headerLength: undefined, traceparent: '', body });
    answer(behaviour, body, request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const models = ['first', 'second'];
  return Object.assign(counts, {
    record: { id: 'rows', kind: 'rows', address: `http://127.0.0.1:${port}`, engines: [], models },
    seen,
    behave(next: Behaviour) {
      behaviour = next;
    },
    setReady() {},
    async die() {
      if (!server.listening) return;
      const closed = once(server.close(), 'close');
      server.closeAllConnections();
      await closed;
    },
  });
}

function answer(behaviour: Behaviour, body: Buffer, request: IncomingMessage, response: ServerResponse): void {
  if (behaviour.kind === 'echo') response.end(body);
  else if (behaviour.kind === 'refuse') response.writeHead(422).end(JSON.stringify({ detail: behaviour.text }));
  else if (behaviour.kind === 'cut') {
    response.setHeader('Content-Length', body.length);
    response.write(body.subarray(0, 3), () => request.socket.destroy());
  }
}
