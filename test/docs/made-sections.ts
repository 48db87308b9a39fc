import { table } from '../../scripts/reference/markdown.ts';
import { listConfigFields } from '../../src/fleet/repository/config-field-list.ts';
import { onnxParameterKeys } from '../../src/fleet/repository/onnx-parameters.ts';
import { tensorflowParameterKeys } from '../../src/fleet/repository/tensorflow-parameters.ts';
import { differences, reasons } from '../fixtures/triton/differences.ts';
import { metricsTable } from './metrics-table.ts';

/** Parts of pages that are made from tables of the program, by the name between their marks. */
export const sections: Readonly<Record<string, () => string | Promise<string>>> = {
  'config fields': configFields,
  'difference reasons': () =>
    table(
      ['Because', 'Skein'],
      Object.entries(reasons).map(([name, text]) => [code(name), text]),
    ),
  'differing cases': () =>
    table(
      ['Recorded case', 'Because', 'Answered with'],
      Object.entries(differences).map(([id, { reason, status }]) => [
        id,
        code(reason),
        status?.join(' or ') ?? 'the recorded status',
      ]),
    ),
  'onnx parameters': onnxParameters,
  'tensorflow parameters': tensorflowParameters,
  metrics: metricsTable,
};

/** The page with every section between `<!-- made: NAME -->` and `<!-- end: NAME -->` as it is made now. */
export async function withMadeSections(page: string): Promise<string> {
  let made = page;
  for (const name of namedSections(page)) {
    const make = sections[name];
    if (make === undefined) throw new Error(`no section is called '${name}'`);
    const [begin, end] = [`<!-- made: ${name} -->`, `<!-- end: ${name} -->`];
    const from = made.indexOf(begin) + begin.length;
    const to = made.indexOf(end, from);
    if (to < 0) throw new Error(`section '${name}' does not end`);
    made = `${made.slice(0, from)}\n\n${await make()}\n\n${made.slice(to)}`;
  }
  return made;
}

export function namedSections(page: string): string[] {
  return Array.from(page.matchAll(/^<!-- made: (.+) -->$/gm), ([, name]) => name!);
}

const words = { honoured: 'honoured', tuning: 'warned of', refused: 'refused' } as const;

function configFields(): string {
  const rows = listConfigFields().filter(({ note }) => note !== '');
  return table(
    ['Field', 'Here', 'What it does, or why it does not'],
    rows.map(({ path, support, note }) => [code(path), words[support], note]),
  );
}

function onnxParameters(): string {
  return table(
    ['Key', 'Here', 'What it does, or why it does not'],
    onnxParameterKeys.map(({ key, support, note }) => [code(key), words[support], note]),
  );
}

function tensorflowParameters(): string {
  return table(
    ['Key', 'Here', 'What it does, or why it does not'],
    tensorflowParameterKeys.map(({ key, support, note }) => [code(key), words[support], note]),
  );
}

function code(text: string): string {
  return `\`${text}\``;
}
