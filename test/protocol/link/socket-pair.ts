import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let made = 0;

/** Two ends of one Unix socket. */
export async function socketPair(): Promise<[Socket, Socket]> {
  made += 1;
  const path = join(tmpdir(), `skein-pair-${process.pid}-${made}.sock`);
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  const near = connect(path);
  const [[far]] = await Promise.all([once(server, 'connection') as Promise<[Socket]>, once(near, 'connect')]);
  server.close();
  return [near, far];
}
