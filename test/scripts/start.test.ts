import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const root = join(import.meta.dirname, '../..');

describe('npm start', () => {
  const state = mkdtempSync(join(tmpdir(), 'skein-start-'));
  const ports = ['--http', '0', '--grpc', '0', '--metrics', '0', '--state', state];
  const child = spawn(process.execPath, ['scripts/start.mjs', ...ports, '--backends', '1'], { cwd: root });
  const exited = once(child, 'exit');
  const written = { out: '', err: '' };
  child.stdout.on('data', (piece) => {
    written.out += piece;
  });

  before(async () => {
    for await (const piece of child.stderr) {
      written.err += piece;
      if (written.err.includes('skein models')) break;
    }
  });
  after(() => {
    child.kill('SIGKILL');
    rmSync(state, { recursive: true, force: true });
  });

  test('passes on the ready line', async () => {
    while (!written.out.includes('\n')) await once(child.stdout, 'data'); // two pipes: either may be read first
    assert.equal(JSON.parse(written.out).ready, true, written.err);
  });

  test('prints a curl line that a real model answers', async () => {
    const [, file = '', url = ''] = /curl -s -d @(\S+) (\S+)\n/.exec(written.err) ?? [];
    const body = readFileSync(join(root, file), 'utf8').replaceAll('\n', '');
    // What curl -d sends.
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const reply = await fetch(url, { method: 'POST', headers, body });
    const { model_name: model, outputs } = (await reply.json()) as {
      model_name: string;
      outputs: { data: number[] }[];
    };
    const [upright = 1, upsideDown = 0] = outputs[0]?.data ?? [];
    assert.equal(model, 'ocr-direction');
    assert.ok(upsideDown > 0.9 && upright < 0.1, 'the picture in the request is upside down');
  });

  test('passes a signal on, and ends as the server does', async () => {
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
  });
});
