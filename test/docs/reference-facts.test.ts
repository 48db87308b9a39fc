/** What the hand-written pages of the reference say of the program, held against the program. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { SettingRow } from '../../src/config/setting.ts';
import { settingsTable } from '../../src/config/settings-table.ts';
import { FrontMetrics } from '../../src/router/metrics/front-metrics.ts';
import { ModelLabels } from '../../src/router/metrics/model-labels.ts';
import type { ApiRoute } from '../../src/router/servers/api.ts';
import { catalogueRoutes } from '../../src/router/servers/catalogue-routes.ts';
import { fleetRoutes } from '../../src/router/servers/fleet-routes.ts';
import { Front } from '../../src/router/servers/front.ts';
import { modelRoutes } from '../../src/router/servers/model-routes.ts';
import { repositoryRoutes } from '../../src/router/servers/repository-routes.ts';
import { defaultServerOptions } from '../../src/router/servers/server-options.ts';
import { serverRoutes, unsupportedRoutes } from '../../src/router/servers/server-routes.ts';
import { FakeMesh } from '../router/servers/fake-mesh.ts';
import { readPage } from './markdown-page.ts';
import { constantOf, quantitiesIn } from './quantities.ts';

const root = join(import.meta.dirname, '../..');

function allRoutes(): ApiRoute[] {
  const mesh = new FakeMesh();
  const front = new Front(mesh, defaultServerOptions, {
    retention: { usedBytes: 0, limitBytes: 0, perRequestBytes: 0 },
    metrics: new FrontMetrics(new ModelLabels(1)),
    log: () => {},
  });
  return [
    ...serverRoutes(front),
    ...modelRoutes(mesh),
    ...repositoryRoutes(mesh, defaultServerOptions),
    ...fleetRoutes(mesh),
    ...catalogueRoutes(undefined, defaultServerOptions),
    ...unsupportedRoutes(),
  ];
}

describe('docs/reference/http-api.md', () => {
  test('lists every route of the HTTP port, and no other', () => {
    const { text } = readPage('docs/reference/http-api.md');
    const [http = ''] = text.split('## The metrics port');
    const listed = Array.from(
      http.matchAll(/^\| (GET|POST) \| `([^`]+)`/gm),
      ([, method, path]) => `${method} ${path}`,
    );
    const served = allRoutes().map(({ method, path }) => `${method} ${path.replace(/:(\w+)(?:\([^)]*\))?/g, '{$1}')}`);
    assert.deepEqual(listed.toSorted(), [...new Set(served)].sort());
  });
});

/** Rows of the tables of queues, by their cells. */
const bounds = readPage('docs/reference/queues-and-bounds.md')
  .text.split('\n')
  .filter((line) => /^\| (?!what|---)/.test(line) && !line.startsWith('|---'))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));

describe('docs/reference/queues-and-bounds.md', () => {
  test('names constants that are there, with their values', () => {
    const named = bounds.flatMap((cells) =>
      Array.from(cells.at(-1)!.matchAll(/((?:`\w+`, )*`\w+`) in `(src\/[^`]+)`/g), ([, names, file]) =>
        names!.split(', ').map((name) => ({ name: name.slice(1, -1), file: file!, bound: cells[1]! })),
      ).flat(),
    );
    assert.ok(named.length > 25);
    for (const { name, file, bound } of named) {
      const definition = new RegExp(`\\b${name}(?: =|:) ([^;,{\\n]+)|\\b${name}(?: =|:) \\{`);
      const found = definition.exec(readFileSync(join(root, file), 'utf8'));
      assert.ok(found !== null, `${file} has no ${name}`);
      const value = found[1] === undefined ? undefined : constantOf(found[1]);
      if (value !== undefined)
        assert.ok(quantitiesIn(bound).includes(value), `${name} is ${value}, the page says '${bound}'`);
    }
  });

  test('names settings with their defaults', () => {
    for (const [, bound = '', ...others] of bounds) {
      for (const [, flag] of others.at(-1)!.matchAll(/`--([a-z-]+)`/g)) {
        const row = Object.values<SettingRow>(settingsTable).find((candidate) => candidate.flag === flag);
        assert.ok(row !== undefined, `--${flag} is no setting`);
        // A default that depends on the machine is told in words; of two settings each may tell a part.
        if (typeof row.default !== 'number' || row.default === 0 || quantitiesIn(bound).length === 0) continue;
        if (flag === 'request-timeout' || flag === 'backends') continue; // the other bound of the row, in words
        assert.ok(quantitiesIn(bound).includes(row.default), `--${flag} is ${row.default}, the page says '${bound}'`);
      }
    }
  });
});
