/** The alert rules and the dashboard ask for metrics that there are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { exposedMetrics } from './metrics-table.ts';

const compose = join(import.meta.dirname, '../../compose');

describe('compose/', () => {
  for (const path of ['prometheus/alerts.yml', 'grafana/skein-dashboard.json']) {
    test(`${path} names metrics that exist`, async () => {
      const known = new Set((await exposedMetrics()).map(({ name }) => name));
      const text = readFileSync(join(compose, path), 'utf8');
      const named = Array.from(text.matchAll(/\b(?:skein|nv)_\w+/g), ([name]) => name);
      const unknown = named.filter((name) => !known.has(name) && !known.has(name.replace(/_(bucket|count|sum)$/, '')));
      assert.ok(named.length >= 8);
      assert.deepEqual(unknown, []);
    });
  }
});
