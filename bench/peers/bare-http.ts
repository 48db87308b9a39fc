/**
 * The limit: node:http that reads a body and answers. argv: bytes of a fixed answer, or `echo` for the body itself. Sends its
 * port.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const isEcho = process.argv[2] === 'echo';
const fixed = Buffer.alloc(isEcho ? 0 : Number(process.argv[2] ?? 200), 0x20);

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece) => isEcho && pieces.push(piece));
  request.on('end', () => {
    const length = pieces.reduce((sum, { byteLength }) => sum + byteLength, fixed.byteLength);
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': length });
    for (const piece of pieces) response.write(piece);
    response.end(fixed);
  });
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
