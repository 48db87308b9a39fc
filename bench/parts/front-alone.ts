import type { BenchPart } from '../frame/bench-part.ts';
import { binaryRequest, imageShape, smallShape } from '../frame/binary-request.ts';
import { takeTurns } from '../frame/turns.ts';
import { turnsTable } from '../frame/turns-table.ts';
import { startPeer } from '../peers/peer.ts';

export const frontAlone: BenchPart = {
  title: 'What the HTTP front costs without what is behind it',
  method:
    'The front of the router with a stand-in for the mesh that takes the body and answers 119 bytes at once, against a bare node:http server that does the same.',
  async run(bench) {
    const bare = await startPeer('bare node:http', 'bare-http.ts', 119);
    const front = await startPeer("Skein's front", 'front-alone.ts');
    try {
      const small = await takeTurns(bench, [bare, front], { request: binaryRequest('m', smallShape), connections: 16 });
      const large = await takeTurns(bench, [bare, front], { request: binaryRequest('m', imageShape), connections: 16 });
      return {
        bars: [],
        tables: [turnsTable('small body, 16 connections', small), turnsTable('602 kB body, 16 connections', large)],
        notes: [],
      };
    } finally {
      bare.stop();
      front.stop();
    }
  },
};
