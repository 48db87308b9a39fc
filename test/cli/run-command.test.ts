import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { verbNames } from '../../src/cli/verbs-table.ts';
import { startAdminServer } from '../fixtures/admin-server.ts';
import { skein } from '../fixtures/recording-console.ts';

describe('runCommand', () => {
  test('exits with 2 and one line on stderr for a wrong command line', async () => {
    for (const argv of [
      ['sreve'],
      ['ps', '--jsno'],
      ['load'],
      ['serve'],
      ['serve', 'm', '--memory', '4G'],
      ['completion', 'csh'],
    ]) {
      const { status, stdout, stderr } = await skein(argv);
      assert.deepEqual({ status, stdout }, { status: 2, stdout: '' }, argv.join(' '));
      assert.match(stderr, /^skein: [^\n]+\n$/);
    }
  });

  test('exits with 2 for a wrong variable, and names it', async () => {
    const { status, stderr } = await skein(['ps'], { SKEIN_URL: 'localhost' });
    assert.deepEqual(
      { status, stderr },
      { status: 2, stderr: "skein: SKEIN_URL is 'localhost'; expected an http:// or https:// URL\n" },
    );
  });

  test('exits with 3 where nobody listens, and says where it asked and how to start a server', async () => {
    const { status, stderr } = await skein(['ps', '--url', 'http://127.0.0.1:1']);
    assert.equal(status, 3);
    assert.match(
      stderr,
      /no server answers at http:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\); start one with `skein serve --models DIR`/,
    );
  });

  test('exits with 1 where the server refuses, and prints its words', async (t) => {
    const refusal = "Request for unknown model: 'x' is not found";
    const { url } = await startAdminServer(
      { 'GET /fleet/models/x/explain': { status: 404, body: { error: refusal } } },
      t,
    );
    assert.deepEqual(await skein(['explain', 'x', '--url', url]), {
      status: 1,
      stdout: '',
      stderr: `skein: ${refusal}\n`,
    });
  });

  test('exits with 1 where the server is of another kind, and asks whether it is', async (t) => {
    const { url } = await startAdminServer({}, t);
    const { status, stderr } = await skein(['ps'], { SKEIN_URL: url });
    assert.equal(status, 1);
    assert.match(stderr, /GET http:.*\/fleet answered with status 404: is that the HTTP port of a Skein server\?/);
  });

  test('explains itself on stderr, with 2, when nothing is asked', async () => {
    const { status, stdout, stderr } = await skein([]);
    assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
    assert.match(stderr, /usage: skein COMMAND/);
  });

  for (const name of verbNames) {
    test(`explains ${name}, with examples, by help and by --help alike`, async () => {
      const help = await skein(['help', name]);
      assert.equal(help.status, 0);
      assert.match(help.stdout, new RegExp(`usage: skein ${name}\\b[^]*Examples:\n  `));
      assert.deepEqual(await skein([name, '--help']), help);
    });
  }
});
