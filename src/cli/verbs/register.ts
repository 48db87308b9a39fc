import { SkeinError } from '../../protocol/errors.ts';
import { adminClient, modelPath } from '../admin-client.ts';
import { listOf, parseLabels } from '../comma-list.ts';
import type { CommandConsole } from '../command-console.ts';
import { printBody, wantsJson } from '../print-json.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, console: CommandConsole): Promise<void> {
  const model = call.operands[0] ?? '';
  const body = await adminClient('register', call, console).post(modelPath(model), wishOf(call));
  if (wantsJson(call)) printBody(body, console);
  else console.out(`${model} is in the catalogue\n`);
}

function wishOf({ flags }: VerbCall): Record<string, unknown> {
  const text = (name: string) => (flags[name] === undefined ? undefined : String(flags[name]));
  const requires = text('requires');
  const labels = requires === undefined ? undefined : parseLabels(requires);
  if (requires !== undefined && labels === undefined) {
    throw new SkeinError('usage', { reason: `--requires is '${requires}'; expected NAME=VALUE, parted by commas` });
  }
  const tolerates = text('tolerates');
  return {
    path: text('path'),
    source: sourceOf(text('source'), text('sha256')),
    versions: versionsOf(text('versions'), text('source')),
    engine: text('engine'),
    requires: labels,
    tolerates: tolerates === undefined ? undefined : listOf(tolerates),
    pinned: flags['pin'] === true ? true : undefined,
    minCopies: copies('min-copies', text('min-copies')),
    maxCopies: copies('max-copies', text('max-copies')),
  };
}

/** What it says is judged by the router, as in any other entry. */
function sourceOf(url: string | undefined, sha256: string | undefined): Record<string, string> | undefined {
  if (url === undefined && sha256 === undefined) return undefined;
  if (url === undefined || sha256 === undefined) {
    throw new SkeinError('usage', {
      reason: '--source and --sha256 go together: `sha256sum FILE` prints the digest of what the URL names',
    });
  }
  return { url, sha256: sha256.toLowerCase() };
}

function versionsOf(text: string | undefined, source: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  if (source === undefined) {
    throw new SkeinError('usage', { reason: '--versions needs --source; without it backends look what there is' });
  }
  const versions = listOf(text).map(Number);
  if (versions.length > 0 && versions.every((version) => Number.isSafeInteger(version) && version > 0)) {
    return [...new Set(versions)].sort((a, b) => a - b);
  }
  throw new SkeinError('usage', { reason: `--versions is '${text}'; expected whole numbers from 1, parted by commas` });
}

function copies(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new SkeinError('usage', { reason: `--${flag} is '${text}'; expected a whole number` });
}
