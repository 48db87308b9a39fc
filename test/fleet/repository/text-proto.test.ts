import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ConfigNode, configBounds } from '../../../src/fleet/repository/config-tree.ts';
import { readTextProto } from '../../../src/fleet/repository/text-proto.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';

/** A tree without places: messages as lists of [name, value], scalars as written. */
function bare(node: ConfigNode): unknown {
  if (node.kind === 'message') return node.fields.map(({ name, value }) => [name, bare(value)]);
  return node.kind === 'list' ? node.items.map(bare) : node.text;
}
const read = (text: string) => bare(readTextProto(text, 'm'));
const fails = (text: string, message: RegExp) =>
  assert.throws(
    () => readTextProto(text, 'm'),
    (fault) => {
      assert.ok(fault instanceof SkeinError && fault.code === 'config_malformed', String(fault));
      assert.match(fault.message, message);
      return true;
    },
  );

describe('readTextProto', () => {
  test('reads fields with their separators, comments and spaces', () => {
    assert.deepEqual(read('a: 1, b: 2; # c: 3\n\td : TYPE_FP32\r\n# end'), [
      ['a', '1'],
      ['b', '2'],
      ['d', 'TYPE_FP32'],
    ]);
    assert.deepEqual(read(''), []);
  });

  test('reads messages with and without a colon, in braces and angle brackets', () => {
    assert.deepEqual(read('a { b: 1 } c: { } d < e: 2 >'), [
      ['a', [['b', '1']]],
      ['c', []],
      ['d', [['e', '2']]],
    ]);
  });

  test('reads lists of scalars and of messages', () => {
    assert.deepEqual(read('dims: [ 1, -1,3 ] none: [] input [ { a: 1 }, <b: 2> ]'), [
      ['dims', ['1', '-1', '3']],
      ['none', []],
      ['input', [[['a', '1']], [['b', '2']]]],
    ]);
  });

  test('joins strings that stand side by side and resolves escapes', () => {
    assert.deepEqual(read(String.raw`s: "a" 'b"'  "\n\t\\\"\x41\101\303\xa9\u00e9\U0001F600"`), [
      ['s', 'ab"\n\t\\"AA\u00e9\u00e9\u{1F600}'],
    ]);
  });

  test('keeps the text of numbers, words and signs', () => {
    assert.deepEqual(read('a: -0x1F b: 1.5e-3f c: -inf d: 9223372036854775807 e: .5 f: - 7'), [
      ['a', '-0x1F'],
      ['b', '1.5e-3f'],
      ['c', '-inf'],
      ['d', '9223372036854775807'],
      ['e', '.5'],
      ['f', '-7'],
    ]);
  });

  test('says where every value stands', () => {
    const { fields } = readTextProto('a: 1\n  b {\n c: "x" }\n\n\n  d: 2', 'm');
    const [a, b, d] = fields;
    assert.equal(a?.value.where, 'line 1, column 4');
    assert.equal(b?.where, 'line 2, column 3');
    assert.equal(b?.value.kind === 'message' && b.value.fields[0]?.value.where, 'line 3, column 5');
    assert.equal(d?.where, 'line 6, column 3');
  });

  for (const [what, text, message] of [
    ['a value without a name', '1', /line 1, column 1: expected the name of a field, got "1"/],
    ['a name without a value', 'a', /expected ":" or "{" after the field a, got the end of the text/],
    ['a scalar without a colon', 'a 1', /line 1, column 3: expected ":" or "{"/],
    ['a list of scalars without a colon', 'a [ 1 ]', /needs ":" before it/],
    ['a message that is not closed', 'a {\n b: 1', /line 2, column 6: expected the name of a field, got the end/],
    ['a message closed by the other bracket', 'a { b: 1 >', /got ">"/],
    ['a list with a comma at its end', 'a: [ 1, ]', /expected a value, got "]"/],
    ['a list in a list', 'a: [ [ 1 ] ]', /expected a value/],
    ['two separators', 'a: 1,, b: 2', /expected the name of a field, got ","/],
    ['a string that runs over its line', 'a: "b\n"', /line 1, column 4: this string has no closing quote/],
    ['an unknown escape', String.raw`a: "\q"`, /unknown escape \\q/],
    ['an escape that is no byte', String.raw`a: "\777"`, /is no byte/],
    ['an escape that is no character', String.raw`a: "\ud800"`, /is no Unicode character/],
    ['bytes that are not UTF-8', String.raw`a: "\xff"`, /not UTF-8/],
    ['a number with letters', 'a: 12monkeys', /'12monkeys' is not a number/],
    ['an extension', '[a.b]: 1', /expected the name of a field/],
    ['a minus before a string', 'a: -"x"', /expected a value, got "x"/],
    ['a character of no token', 'a: 1 $', /unexpected character "\$"/],
  ] as const) {
    test(`refuses ${what} and says where`, () => fails(text, message));
  }

  test('bounds depth, values and length', () => {
    fails('a {'.repeat(10_000), /nested more than 32 deep/);
    fails('a:1 '.repeat(configBounds.nodes + 1), /more than 20000 values/);
    fails('#'.repeat(configBounds.length + 1), /at most 131072 are read/);
  });

  test('reads what is as large as the bounds allow, on one line, in time that grows with its length', () => {
    const fields = 'a:1 '.repeat(configBounds.nodes);
    assert.equal(readTextProto(fields, 'm').fields.length, configBounds.nodes);
  });

  test('throws nothing but config_malformed, whatever it is given', () => {
    const pieces = [
      'a',
      'input',
      '{',
      '}',
      '[',
      ']',
      '<',
      '>',
      ':',
      ',',
      ';',
      '-',
      '"x"',
      "'",
      '"',
      '\\',
      '1',
      '0x',
      '.',
      'e5',
      '#',
      '\n',
      ' ',
      '\0',
      'é',
    ];
    const token = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...pieces) },
      fc.string({ maxLength: 3, unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => {
        try {
          readTextProto(tokens.join(''), 'm');
        } catch (fault) {
          assert.ok(fault instanceof SkeinError && fault.code === 'config_malformed', String(fault));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('reads back every tree that is written in its syntax', () => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/);
    const { message } = fc.letrec<{ message: [string, unknown][]; value: unknown }>((tie) => ({
      message: fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }),
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.array(fc.string(), { maxLength: 3 }).map((items) => ({ items })),
        tie('message'),
      ),
    }));
    const write = (value: unknown): string => {
      if (typeof value === 'string') return `: ${JSON.stringify(value).replaceAll('\x7f', '\\x7f')}`;
      if (Array.isArray(value)) return ` { ${value.map(([key, item]) => key + write(item)).join(' ')} }`;
      return `: [ ${(value as { items: string[] }).items.map((item) => JSON.stringify(item)).join(', ')} ]`;
    };
    const plain = (value: unknown): unknown => {
      if (typeof value === 'string') return value;
      return Array.isArray(value)
        ? value.map(([key, item]) => [key, plain(item)])
        : (value as { items: string[] }).items;
    };
    fc.assert(
      fc.property(message, (fields) => {
        assert.deepEqual(read(fields.map(([key, item]) => key + write(item)).join('\n')), plain(fields));
      }),
      { numRuns: 150 },
    );
  });
});
