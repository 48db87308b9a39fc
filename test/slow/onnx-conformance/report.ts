import type { ConformanceCase } from './conformance-case.ts';
import type { HttpVerdict } from './over-http.ts';
import type { Verdict } from './reference.ts';

export interface Judged {
  readonly of: ConformanceCase;
  readonly runtime: Verdict;
  readonly skein: HttpVerdict;
}

const verdictTexts = {
  passes: 'answers as ONNX expects',
  differs: 'answers otherwise (random numbers, mostly)',
  'no tensors': 'takes or gives sequences, maps or optionals',
  'cannot load': 'does not load it',
  'cannot run': 'does not run it',
} as const satisfies Record<Verdict['kind'], string>;

/** docs/reference/onnx-conformance.md, the same for the same verdicts. */
export function conformancePage(judged: readonly Judged[]): string {
  const rows = Object.entries(verdictTexts).flatMap(([kind, text]) => {
    const those = judged.filter(({ runtime }) => runtime.kind === kind);
    const count = (skein: HttpVerdict['kind']) => those.filter((one) => one.skein.kind === skein).length;
    if (those.length === 0) return [];
    return [`| ${text} | ${those.length} | ${count('passes')} | ${count('differs')} | ${count('refused')} |`];
  });
  const others = judged
    .filter(({ skein }) => skein.kind !== 'passes')
    .map(({ of, skein }) => `| ${of.suite}/${of.name} | ${outcomeOf(skein)} |`);
  return `# ONNX conformance

The ONNX project's own test models, as Debian packages them (libonnx-testdata 1.12.0), through \`POST /v2/models/…/infer\`
with binary tensors: ${judged.length} models, the first data set of each. Written by
\`test/slow/onnx-conformance.slow.ts\`.

| ONNX Runtime itself | models | Skein answers as expected | Skein answers otherwise | Skein refuses |
|---|---|---|---|---|
${rows.join('\n')}

${summaryOf(judged)}

## The others, by name

| model | Skein |
|---|---|
${others.join('\n')}
`;
}

function summaryOf(judged: readonly Judged[]): string {
  const worse = judged.filter(({ runtime, skein }) => runtime.kind === 'passes' && skein.kind !== 'passes').length;
  return worse === 0
    ? 'Every model that ONNX Runtime itself answers as expected, Skein answers as expected too.'
    : `${worse} models that ONNX Runtime itself answers as expected, Skein does not: defects.`;
}

/** Before the reason, in every refusal of a model that cannot be loaded. */
const afterModel = /^Request for unknown model: '[^']*' has no available versions: /;

function outcomeOf(skein: HttpVerdict): string {
  if (skein.kind === 'refused') return `refuses, ${skein.status}: ${cell(skein.why.replace(afterModel, ''))}`;
  return skein.kind === 'differs' ? 'answers otherwise' : 'answers as expected';
}

/** One short line for a table: no path of the machine, no bar that would end the cell. */
function cell(text: string): string {
  const line = text
    .replace(/\/\S*\/(\S+\.onnx)/g, '$1')
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|')
    .trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
