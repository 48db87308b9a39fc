import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startAdminServer } from '../../fixtures/admin-server.ts';
import { skein } from '../../fixtures/recording-console.ts';

const changed = { body: { revision: 7 } };

/** What a command sends to the one path that is answered, and what it prints. */
async function send(args: string[], path: string, t: { after(hook: () => void): void }) {
  const server = await startAdminServer({ [`POST ${path}`]: changed }, t);
  const said = await skein([...args, '--url', server.url]);
  return { ...said, sent: server.bodies.map((body) => JSON.parse(body || '{}')) };
}

describe('skein alias', () => {
  test('leads a name to one model', async (t) => {
    const { status, stdout, sent } = await send(['alias', 'ranking', 'ranker'], '/fleet/routes/ranking', t);
    assert.deepEqual([status, sent], [0, [{ targets: [{ model: 'ranker' }] }]]);
    assert.equal(stdout, 'ranking leads to ranker\n');
  });

  test('splits by weights over versions and labels, and escapes the name', async (t) => {
    const args = ['alias', 'a/b', 'ranker@3=95', 'ranker@next=0.5'];
    const { sent } = await send(args, '/fleet/routes/a%2Fb', t);
    const [first, second] = [
      { version: 3, weight: 95 },
      { version: 'next', weight: 0.5 },
    ];
    assert.deepEqual(sent, [
      {
        targets: [
          { model: 'ranker', ...first },
          { model: 'ranker', ...second },
        ],
      },
    ]);
  });

  test('refuses a target that it cannot read, and sends nothing', async (t) => {
    const { status, stderr, sent } = await send(['alias', 'ranking', 'ranker=many'], '/fleet/routes/ranking', t);
    assert.deepEqual([status, sent], [2, []]);
    assert.match(stderr, /'ranker=many' is no target; expected MODEL, MODEL@VERSION or MODEL@LABEL, and =WEIGHT/);
  });
});

describe('skein label', () => {
  test('gives a version a label', async (t) => {
    const { stdout, sent } = await send(['label', 'ranker', 'stable', '3'], '/fleet/models/ranker/label', t);
    assert.deepEqual(sent, [{ label: 'stable', version: 3 }]);
    assert.equal(stdout, 'stable of ranker is version 3\n');
  });

  test('takes it away where no version is named', async (t) => {
    const { stdout, sent } = await send(['label', 'ranker', 'stable'], '/fleet/models/ranker/label', t);
    assert.deepEqual(sent, [{ label: 'stable', version: null }]);
    assert.equal(stdout, 'stable of ranker is gone\n');
  });

  test('refuses what is no version', async (t) => {
    const { status, stderr } = await send(['label', 'ranker', 'stable', 'v3'], '/fleet/models/ranker/label', t);
    assert.equal(status, 2);
    assert.match(stderr, /'v3' is no version; expected a whole number/);
  });
});

describe('skein remove', () => {
  test('takes a model out of the catalogue', async (t) => {
    const { status, stdout } = await send(['remove', 'a/b'], '/fleet/models/a%2Fb/remove', t);
    assert.deepEqual([status, stdout], [0, 'a/b is not in the catalogue any more\n']);
  });

  test('prints why it was refused', async (t) => {
    const error = "catalogue entry 'm' cannot be used: alias 'r' leads to it; lead that elsewhere or remove it first";
    const body = { error, code: 'entry_invalid' };
    const { url } = await startAdminServer({ 'POST /fleet/models/m/remove': { status: 400, body } }, t);
    const { status, stderr } = await skein(['remove', 'm', '--url', url]);
    assert.equal(status, 1);
    assert.match(stderr, /alias 'r' leads to it/);
  });
});
