import type { Environment } from '../../../config/setting.ts';
import type { AwsCredentials } from '../signature-v4.ts';
import { containerCredentials } from './container-credentials.ts';
import { fileCredentials } from './credentials-file.ts';
import { instanceCredentials } from './instance-credentials.ts';
import { webIdentityCredentials } from './web-identity-credentials.ts';

type Finder = (env: Environment) => Promise<AwsCredentials | undefined> | AwsCredentials | undefined;

/** In the order of Amazon's own clients; the first that has any wins. */
const finders: readonly Finder[] = [
  environmentCredentials,
  fileCredentials,
  webIdentityCredentials,
  containerCredentials,
  instanceCredentials,
];

/** Temporary credentials are asked for again this long before they end. */
const earlyMs = 5 * 60_000;
/** A chain that found nothing is not walked again for every file. */
const nothingHoldsMs = 60_000;

/** Walks the chain when credentials are first wanted, and again when they are about to end. */
export class CredentialsChain {
  readonly #env: Environment;
  readonly #nowMs: () => number;
  #found: Promise<AwsCredentials | undefined> | undefined;
  #holdsUntilMs = Infinity;

  constructor(env: Environment, nowMs: () => number = Date.now) {
    this.#env = env;
    this.#nowMs = nowMs;
  }

  /** Undefined where nothing in the chain has any. */
  find(): Promise<AwsCredentials | undefined> {
    if (this.#found === undefined || this.#nowMs() >= this.#holdsUntilMs) {
      this.#holdsUntilMs = Infinity;
      this.#found = this.#walk();
      this.#found.catch(() => {
        this.#found = undefined; // a file that could not be read is read again
      });
    }
    return this.#found;
  }

  async #walk(): Promise<AwsCredentials | undefined> {
    for (const find of finders) {
      const found = await find(this.#env);
      if (found === undefined) continue;
      this.#holdsUntilMs = (found.expiresAtMs ?? Infinity) - earlyMs;
      return found;
    }
    this.#holdsUntilMs = this.#nowMs() + nothingHoldsMs;
    return undefined;
  }
}

function environmentCredentials(env: Environment): AwsCredentials | undefined {
  const [accessKeyId, secretAccessKey] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']];
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = env['AWS_SESSION_TOKEN'];
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}
