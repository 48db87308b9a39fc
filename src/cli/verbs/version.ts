import type { CommandConsole } from '../command-console.ts';
import { wantsJson } from '../print-json.ts';
import { softwareVersion } from '../software-version.ts';
import type { VerbCall } from '../verb.ts';

export async function run(call: VerbCall, { out }: CommandConsole): Promise<void> {
  const facts = {
    skein: softwareVersion,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  };
  out(
    wantsJson(call) ? `${JSON.stringify(facts)}\n` : `skein ${facts.skein} (Node ${facts.node}, ${facts.platform})\n`,
  );
}
