import { parseArgs } from 'node:util';

interface BenchOptions {
  /** Names of the parts to run, in the order of the table. */
  readonly parts: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  /** Print the figures and write nothing. */
  readonly printOnly: boolean;
  readonly help: boolean;
}

/** Throws an Error for people where the command line is wrong. */
export function benchOptions(argv: readonly string[], known: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '1.5' },
      'print-only': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`'${unknown}' is not a part of the bench; there are ${known.join(', ')}`);
  const rounds = Number(values.rounds);
  const seconds = Number(values.seconds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds must be a count from 1, got '${values.rounds}'`);
  if (!(seconds > 0)) throw new Error(`--seconds must be a time in seconds, got '${values.seconds}'`);
  const parts = positionals.length === 0 ? known : known.filter((name) => positionals.includes(name));
  return { parts, rounds, seconds, printOnly: values['print-only'], help: values.help };
}
