/**
 * Scenarios on a virtual clock, compared with what was decided when they were last read by somebody. After a change that
 * is meant: `UPDATE_TRANSCRIPTS=1 node --test test/router/scaling/transcripts.test.ts`, and read the difference.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { playTranscript } from './transcript.ts';

const folder = join(import.meta.dirname, 'transcripts');

describe('CopyScaling plays', () => {
  for (const file of readdirSync(folder).sort()) {
    test(file.replace('.txt', '').replaceAll('-', ' '), () => {
      const path = join(folder, file);
      const text = readFileSync(path, 'utf8');
      const played = playTranscript(text);
      if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFileSync(path, played);
      else assert.equal(played, text);
    });
  }
});
