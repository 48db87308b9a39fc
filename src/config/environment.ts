import type { Environment } from './setting.ts';

/** The environment of this process. Nothing else reads process.env: everybody else is handed settings. */
export function processEnvironment(): Environment {
  return process.env;
}
