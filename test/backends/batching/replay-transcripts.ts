import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/**
 * Scenarios as text: lines that begin with `>` are played, lines that begin with `#` are comments, what follows is what was
 * answered. UPDATE_TRANSCRIPTS=1 writes the answers anew; the difference is then reviewed like code.
 */
export function replayTranscripts(folder: string, startPlayer: () => { play(line: string): string }): void {
  const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  assert.ok(files.length > 0);
  for (const file of files) {
    test(`${file} is answered as written`, () => {
      const path = join(folder, file);
      const written = readFileSync(path, 'utf8');
      const player = startPlayer();
      const played = written
        .split('\n')
        .filter((line) => /^[>#]/.test(line))
        .map((line) => (line.startsWith('#') ? line : `${line}\n${player.play(line.slice(2))}`));
      const answered = `${played.join('\n')}\n`;
      if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFileSync(path, answered);
      else assert.equal(answered, written);
    });
  }
}
