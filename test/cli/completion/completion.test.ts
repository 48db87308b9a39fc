import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { bashCompletion } from '../../../src/cli/completion/bash.ts';
import { fishCompletion } from '../../../src/cli/completion/fish.ts';
import { zshCompletion } from '../../../src/cli/completion/zsh.ts';
import { flagsOf } from '../../../src/cli/flag.ts';
import { verbNames, verbsTable } from '../../../src/cli/verbs-table.ts';

/** What bash would offer for the last word, with the completion loaded. */
function offered(...words: string[]): string[] {
  const script = `${bashCompletion()}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _skein; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  assert.equal(stderr, '');
  return stdout.split('\n').filter((word) => word !== '');
}

describe('bashCompletion', () => {
  test('offers commands, then their flags', () => {
    assert.deepEqual(offered('skein', ''), verbNames);
    assert.deepEqual(offered('skein', 'un'), ['unload']);
    assert.deepEqual(
      offered('./skein', 'plan', '--'),
      flagsOf(verbsTable.plan).map((flag) => `--${flag.name}`),
    );
  });

  test('offers the choices of a flag, and nothing for a value that is free', () => {
    assert.deepEqual(offered('skein', 'serve', '--preload', ''), ['none', 'pinned', 'all']);
    assert.deepEqual(offered('skein', 'models', '--json', '--state', 'un'), ['unloaded']);
    assert.deepEqual(offered('skein', 'serve', '--memory', ''), []);
  });

  test('offers files where a path is taken', () => {
    assert.deepEqual(offered('skein', 'serve', '--models', 'compl'), ['completion.test.ts']);
    assert.deepEqual(offered('skein', 'serve', 'compl'), ['completion.test.ts']);
  });

  test('offers the words that an operand may be', () => {
    assert.deepEqual(offered('skein', 'completion', 'z'), ['zsh']);
    assert.deepEqual(offered('skein', 'help', 'eng'), ['engines']);
  });
});

describe('zshCompletion', () => {
  test('specifies every flag of every command', () => {
    for (const name of verbNames) {
      const [, specs] = new RegExp(`^    ${name}\\) _arguments ([^]*?) ;;$`, 'm').exec(zshCompletion()) ?? [];
      for (const flag of flagsOf(verbsTable[name]))
        assert.match(specs ?? '', new RegExp(`'\\*?--${flag.name}\\[`), name);
    }
  });

  test('closes every quote', () => {
    assert.equal((zshCompletion().replaceAll("'\\''", '').match(/'/g)?.length ?? 0) % 2, 0);
  });
});

describe('fishCompletion', () => {
  test('completes every flag of every command', () => {
    const lines = fishCompletion().split('\n');
    for (const name of verbNames) {
      for (const flag of flagsOf(verbsTable[name])) {
        const start = `complete -c skein -n '__fish_seen_subcommand_from ${name}' -l ${flag.name} -d '`;
        assert.equal(lines.filter((line) => line.startsWith(start)).length, 1, `${name} --${flag.name}`);
      }
    }
  });

  test('closes every quote of every line', () => {
    for (const line of fishCompletion().split('\n')) {
      assert.equal((line.replaceAll(/\\./g, '').match(/'/g)?.length ?? 0) % 2, 0, line);
    }
  });
});
