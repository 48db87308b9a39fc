import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { loadServeSettings, loadSettings, type SettingSources } from '../../src/config/load-settings.ts';
import { SkeinError } from '../../src/protocol/errors.ts';

const gib = 2 ** 30;
const machine = { cores: 6, memoryBytes: 8 * gib };

function sources(given: Partial<SettingSources> = {}): SettingSources {
  return { flags: {}, env: { HOME: '/home/ada' }, cwd: '/srv', machine, ...given };
}

const serving = (given: Partial<SettingSources>) =>
  loadServeSettings(sources({ ...given, flags: { models: ['models'], ...given.flags } })).settings;

function fileWith(content: unknown, context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'skein-settings-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'skein.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const refusal = (text: RegExp) => (fault: unknown) => {
  assert.ok(fault instanceof SkeinError);
  assert.match(fault.message, text);
  return true;
};

describe('loadServeSettings', () => {
  test('fills every setting, in the unit of its name, and freezes them', () => {
    const settings = serving({});
    assert.ok(Object.values(settings).every((value) => value !== undefined));
    assert.ok(
      Object.isFrozen(settings) && Object.isFrozen(settings.models) && Object.isFrozen(settings.externalBackends),
    );
    assert.equal(settings.memoryBytes, 4 * gib);
    assert.equal(settings.cores, 6);
    assert.equal(settings.requestTimeoutMs, 60_000);
    assert.equal(settings.stateDir, '/home/ada/.local/state/skein');
    assert.deepEqual(settings.models, ['/srv/models']);
  });

  test('puts state where the environment says that state belongs', () => {
    assert.equal(serving({ env: { XDG_STATE_HOME: '/var/state', HOME: '/root' } }).stateDir, '/var/state/skein');
    assert.equal(serving({ env: {} }).stateDir, '/srv/.skein/state');
  });

  test('counts a flag before the environment, that before the file, that before the default', (t) => {
    const path = fileWith({ settings: { memory: '1GiB', 'hold-max': '3s', backends: 5, http: 9000 } }, t);
    const env = { SKEIN_CONFIG: path, SKEIN_MEMORY: '2GiB', SKEIN_HOLD_MAX: '2s' };
    const settings = serving({ env, flags: { memory: '3GiB' } });
    const { memoryBytes, holdMaxMs, backends, httpPort, routerWorkers } = settings;
    assert.deepEqual([memoryBytes, holdMaxMs, backends, httpPort, routerWorkers], [3 * gib, 2_000, 5, 9000, 1]);
  });

  test('resolves paths against the place that names them', (t) => {
    const path = fileWith({ settings: { models: ['zoo'], state: 'state' } }, t);
    const settings = loadServeSettings(sources({ flags: { config: path }, env: { SKEIN_STATE: 'here' } })).settings;
    assert.deepEqual(settings.models, [join(path, '../zoo')]);
    assert.equal(settings.stateDir, '/srv/here');
  });

  test('parts paths in the environment as in PATH', () => {
    const { settings } = loadServeSettings(sources({ env: { SKEIN_MODELS: '/a:b:' } }));
    assert.deepEqual(settings.models, ['/a', '/srv/b']);
  });

  test('takes an empty variable for one that is not set', () => {
    assert.equal(serving({ env: { SKEIN_BACKENDS: '' } }).backends, 2);
  });

  const wrong: readonly [Partial<SettingSources>, RegExp][] = [
    [{ flags: { memory: '4G' } }, /^--memory is '4G'; expected a size such as 512MiB or 4GiB .* from 64MiB to /],
    [{ flags: { memory: '1MiB' } }, /^--memory is '1MiB'; expected .* from 64MiB/],
    [
      { env: { SKEIN_HOLD_MAX: '30' } },
      /^SKEIN_HOLD_MAX is '30'; expected a time such as 250ms, 30s or 5m .* from 0 to 1h$/,
    ],
    [{ flags: { http: '65536' } }, /^--http is '65536'; expected a port from 0 to 65535/],
    [{ env: { SKEIN_BACKENDS: '2.5' } }, /^SKEIN_BACKENDS is '2.5'; expected a whole number from 1 to 64$/],
    [{ flags: { preload: 'some' } }, /^--preload is 'some'; expected one of none, pinned, all$/],
    [{ env: { SKEIN_ALLOW_REMOTE_LOAD: 'yes' } }, /^SKEIN_ALLOW_REMOTE_LOAD is 'yes'; expected true or false$/],
    [
      { flags: { 'otlp-endpoint': 'collector:4318' } },
      /^--otlp-endpoint is 'collector:4318'; expected an http:\/\/ or/,
    ],
    [{ flags: { http: '9000', metrics: '9000' } }, /http 9000, grpc 8001 and metrics 9000 need a port each/],
    [
      { flags: { 'max-body': '1GiB' } },
      /max-body is 1GiB and body-memory 256MiB: .* raise body-memory or lower max-body/,
    ],
  ];
  for (const [given, text] of wrong) {
    test(`refuses ${JSON.stringify(given)}`, () => assert.throws(() => serving(given), refusal(text)));
  }

  const wrongFiles: readonly [unknown, RegExp][] = [
    ['{"settings": {', /^the settings file .*skein\.json cannot be used: .*JSON/],
    [[], /is not a JSON object/],
    [{ settings: { memroy: '1GiB' } }, /^"memroy" in .*skein\.json is not a setting; did you mean "memory"\?$/],
    [{ settings: { memory: true } }, /^"memory" in .*skein\.json is true; expected a size/],
    [{ settings: { config: 'other.json' } }, /^"config" in .* is not a setting/],
    [{ memory: '1GiB' }, /^"memory" in .* is not a setting; put it inside "settings"$/],
    [
      { backends: [{ name: 'b1', kind: 'v2', url: 'http://h', models: ['m'] }] },
      /^"backends"\[0\]\."name" in .* is "b1"; expected a name .* not one of a local backend/,
    ],
    [
      { backends: [{ name: 't', kind: 'triton', url: 'http://h', models: ['m'] }] },
      /"kind" in .* is "triton"; expected one of v2$/,
    ],
    [
      { backends: [{ name: 't', kind: 'v2', url: 'h:9000', models: ['m'] }] },
      /"url" in .* is "h:9000"; expected an http/,
    ],
    [{ backends: [{ name: 't', kind: 'v2', url: 'http://h' }] }, /"models" in .* is missing; expected a list/],
    [
      { backends: [{ name: 't', kind: 'v2', url: 'http://h', models: ['m'], weight: 2 }] },
      /"weight" in .* is not a setting; a backend has name, kind, url, models/,
    ],
    [{ backends: ['t', 't'] }, /^"backends"\[0\] in .* is "t"; expected an object/],
  ];
  for (const [content, text] of wrongFiles) {
    test(`refuses a settings file that holds ${typeof content === 'string' ? content : JSON.stringify(content)}`, (t) => {
      assert.throws(() => serving({ flags: { config: fileWith(content, t) } }), refusal(text));
    });
  }

  test('refuses a settings file that is not there, by its path', () => {
    assert.throws(
      () => serving({ flags: { config: 'gone.json' } }),
      refusal(/^the settings file \/srv\/gone\.json .*ENOENT/),
    );
  });

  test('reads external servers from the file, and needs no models of its own then', (t) => {
    const triton = { name: 'triton-a', kind: 'v2', url: 'http://127.0.0.1:9000/', models: ['a', 'b', 'a'] };
    const { settings } = loadServeSettings(sources({ flags: { config: fileWith({ backends: [triton] }, t) } }));
    assert.deepEqual(settings.externalBackends, [{ ...triton, url: 'http://127.0.0.1:9000', models: ['a', 'b'] }]);
  });

  test('refuses two external servers of one name', (t) => {
    const triton = { name: 't', kind: 'v2', url: 'http://h', models: ['a'] };
    const path = fileWith({ backends: [triton, triton] }, t);
    assert.throws(() => serving({ flags: { config: path } }), refusal(/is "t"; expected a name that no other has/));
  });

  test('refuses to serve nothing', () => {
    assert.throws(() => loadServeSettings(sources()), refusal(/nothing to serve.*--models/));
  });

  test('warns of variables that are probably misspelt, not of those that Kubernetes sets', () => {
    const env = {
      SKEIN_MEMROY: '1GiB',
      SKEIN_SERVICE_HOST: '10.0.0.1',
      SKEIN_PORT: 'tcp://10.0.0.1:80',
      SKEIN_TEAM: 'x',
    };
    const { warnings } = loadServeSettings(sources({ env, flags: { models: 'm' } }));
    assert.deepEqual(warnings, ['SKEIN_MEMROY is not a setting and has no effect; did you mean SKEIN_MEMORY?']);
  });

  test('warns of a budget above what the machine allows', () => {
    const { warnings } = loadServeSettings(sources({ flags: { models: 'm', memory: '16GiB' } }));
    assert.match(warnings.join(), /memory is 16 GiB, but this process may use 8 GiB at most/);
  });
});

describe('loadSettings', () => {
  test('gives an operator verb its own settings alone', () => {
    const given = sources({ env: { SKEIN_URL: 'https://mesh.example/', SKEIN_MEMORY: 'nonsense' } });
    assert.deepEqual(loadSettings('ps', given), { url: 'https://mesh.example' });
  });
});
