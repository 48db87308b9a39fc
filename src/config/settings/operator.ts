import type { SettingRow } from '../setting.ts';

/** For the commands that ask a running server. */
export const operatorSettings = {
  url: {
    flag: 'url',
    kind: 'url',
    default: 'http://127.0.0.1:8000',
    form: 'an http:// or https:// URL',
    inFile: false,
    verbs: [
      'ps',
      'models',
      'load',
      'unload',
      'explain',
      'plan',
      'bench',
      'drain',
      'register',
      'remove',
      'alias',
      'label',
      'registry',
    ],
    summary: 'the running server to ask',
    why: 'The HTTP port of any router.',
  },
} as const satisfies Record<string, SettingRow>;
