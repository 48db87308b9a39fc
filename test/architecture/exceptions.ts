import type { RuleName } from './rules.ts';

/**
 * What breaks a law on purpose, and why, by law and path. An exception that is not needed any more fails the test, so
 * that the list stays short and true.
 */
export const exceptions: Partial<Record<RuleName | 'mirror', Readonly<Record<string, string>>>> = {
  fileSize: {
    'src/protocol/errors.ts': 'One table with a row for each error; cut in parts it could not be seen to be complete.',
  },
  mirror: {
    'src/config/settings': 'Tables without code: config/settings-table.test.ts checks their rows.',
    'test/adapters/rows/row-adapter.test.ts':
      'Proves the adapter contract by a kind of server that src/ does not have.',
    'test/cli/verbs/catalogue-verbs.test.ts': 'As operator-verbs.test.ts, for those that change the catalogue.',
    'test/cli/verbs/operator-verbs.test.ts':
      'Runs the verbs as the command line does, which finds them by their names.',
  },
};
