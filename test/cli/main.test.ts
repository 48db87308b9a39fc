import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { exitStatuses } from '../../src/cli/exit-status.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';

const main = join(import.meta.dirname, '../../src/cli/main.ts');
const longestMs = 30_000;

describe('the skein process', () => {
  for (const port of ['--http', '--grpc', '--metrics']) {
    test(`ends with 2 where ${port} is a port that somebody has, and says so`, async (t) => {
      const stranger = createServer().listen(0, '127.0.0.1');
      await once(stranger, 'listening');
      t.after(() => stranger.close());
      const taken = (stranger.address() as AddressInfo).port;
      const free = ['--http', '0', '--grpc', '0', '--metrics', '0', '--backends', '1'];
      const child = spawn(
        process.execPath,
        [main, 'serve', temporaryDirectory(t), ...free, port, String(taken), '--state', temporaryDirectory(t)],
        { stdio: ['ignore', 'ignore', 'pipe'], timeout: longestMs, killSignal: 'SIGKILL' },
      );
      const said = text(child.stderr);
      const [status] = await once(child, 'exit');
      assert.equal(status, exitStatuses.usage.status, 'it did not end by itself');
      assert.match(
        await said,
        new RegExp(`^skein: nothing can listen on port ${taken} of 127.0.0.1: .*EADDRINUSE`, 'm'),
      );
      assert.doesNotMatch(await said, /a defect in Skein/);
    });
  }
});
