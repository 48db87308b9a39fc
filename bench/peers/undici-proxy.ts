/** node:http in front, undici's dispatch behind it. argv: port of the target. Sends its port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 256 });
const server = createServer((request, response) => {
  const { url: path = '/', method = 'GET', headers } = request;
  const { connection: _, host: __, ...passed } = headers;
  pool.dispatch(
    { path, method: method as 'POST', headers: passed, body: request },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, answered) {
        response.writeHead(status, answered);
      },
      onResponseData(_controller, piece) {
        response.write(piece);
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError() {
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      },
    },
  );
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
