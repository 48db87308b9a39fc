import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseInvocation } from '../../src/cli/arguments.ts';
import { SkeinError } from '../../src/protocol/errors.ts';

/** Flags and operands of a command line that calls a verb. */
function callOf(...argv: string[]) {
  const invocation = parseInvocation(argv);
  assert.equal(invocation.kind, 'call');
  return invocation.kind === 'call'
    ? { name: invocation.name, flags: { ...invocation.call.flags }, operands: invocation.call.operands }
    : undefined;
}

describe('parseInvocation', () => {
  test('takes flags before and after operands, with = or a space', () => {
    const expected = { name: 'load', flags: { url: 'http://h', json: true }, operands: ['resnet50'] };
    assert.deepEqual(callOf('load', '--url=http://h', 'resnet50', '--json'), expected);
    assert.deepEqual(callOf('load', '--json', '--url', 'http://h', 'resnet50'), expected);
  });

  test('collects a flag that may be repeated, and takes the last of one that may not', () => {
    assert.deepEqual(callOf('serve', '--models', 'a', '--models', 'b', '--http', '1', '--http', '2')?.flags, {
      models: ['a', 'b'],
      http: '2',
    });
  });

  test('lets a switch that is a setting be turned off', () => {
    assert.deepEqual(callOf('serve', '--no-allow-remote-load', 'm')?.flags, { 'allow-remote-load': false });
    assert.deepEqual(callOf('serve', '--allow-remote-load=false', 'm')?.flags, { 'allow-remote-load': 'false' });
  });

  test('takes what follows -- for operands', () => {
    assert.deepEqual(callOf('load', '--', '--json')?.operands, ['--json']);
  });

  test('takes a value that begins with a dash only with =', () => {
    assert.deepEqual(callOf('plan', '--drain=-x')?.flags, { drain: '-x' });
  });

  test('finds a call for help anywhere', () => {
    assert.deepEqual(parseInvocation(['--help']), { kind: 'help', name: undefined });
    assert.deepEqual(parseInvocation(['load', '--help']), { kind: 'help', name: 'load' });
    assert.deepEqual(parseInvocation(['serve', 'm', '-h']), { kind: 'help', name: 'serve' });
    assert.deepEqual(parseInvocation([]), { kind: 'nothing' });
  });

  const wrong: readonly [string[], RegExp][] = [
    [['sreve'], /^'sreve' is not a command; did you mean 'serve'\?$/],
    [['launch'], /^'launch' is not a command; `skein --help` lists them$/],
    [['flush', 'b1'], /^'flush' is not a command/],
    [['--json', 'ps'], /^'--json' comes before a command/],
    [['serve', '--memroy', '1GiB'], /^--memroy is not a flag of `skein serve`; did you mean --memory\?$/],
    [['ps', '--memory', '1GiB'], /^--memory is not a flag of `skein ps`; `skein help ps` lists what it takes$/],
    [['ps', '-j'], /^-j is not a flag of `skein ps`/],
    [['ps', '--no-json'], /^--no-json is not a flag of `skein ps`; did you mean --json\?$/],
    [['ps', '--json=yes'], /^--json takes no value, got 'yes'$/],
    [['serve', '--memory'], /^--memory needs a value: --memory SIZE$/],
    [['serve', '--memory', '--http', '1'], /^--memory needs a value/],
    [['load'], /^`skein load` needs MODEL: name of a model/],
    [['load', 'a', 'b'], /^`skein load` takes no 'b'/],
    [['constructor'], /^'constructor' is not a command/],
  ];
  for (const [argv, text] of wrong) {
    test(`refuses '${argv.join(' ')}'`, () => {
      assert.throws(
        () => parseInvocation(argv),
        (fault) => fault instanceof SkeinError && fault.code === 'usage' && text.test(fault.message),
      );
    });
  }
});
