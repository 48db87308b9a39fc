import { flagForm, settingFlag } from '../../src/cli/flag.ts';
import { writeDefault } from '../../src/cli/help-text.ts';
import { byteSizeForm, writeByteSize } from '../../src/config/byte-size.ts';
import { isDerived } from '../../src/config/compile-settings.ts';
import { durationForm, writeDuration } from '../../src/config/duration.ts';
import { externalKinds } from '../../src/config/external-backend.ts';
import { expectedForm } from '../../src/config/parse-setting.ts';
import { envName, type SettingRow } from '../../src/config/setting.ts';
import { type SettingGroup, settingGroups, settingsTable } from '../../src/config/settings-table.ts';
import { code, madeLine, plain, sentence, table } from './markdown.ts';

export function settingsPage(): string {
  return `${madeLine}

# Settings

Every setting has a flag, a variable and, but for a few, an entry in a settings file, under the name of the flag. A flag
counts before a variable, a variable before the file, the file before the default. A value that is out of range, has the
wrong unit or a name that does not exist ends the start with a message that names the place it came from. An empty variable
counts as not set; an unknown one that starts with \`SKEIN_\` and looks misspelt is warned of.

${reloadNote()}

* Sizes: ${byteSizeForm}. A bare number counts bytes.
* Times: ${durationForm}. Only \`0\` goes without a unit.
* Switches: \`--name\` and \`--no-name\`; \`true\` or \`false\` elsewhere.
* Relative paths start where the command was called; those of a settings file start where it lies.

## The settings file

\`\`\`json
${JSON.stringify(exampleFile, undefined, 2)}
\`\`\`

\`backends\` declares servers that run already and hold some of the models. Each has a \`name\`, a \`kind\`
(${externalKinds.map((kind) => code(kind)).join(', ')}: a server of the Open Inference Protocol over HTTP), the \`url\` under which it answers, and its \`models\`.

${settingGroups.map(groupSection).join('\n\n')}
`;
}

const exampleFile = {
  settings: { models: ['./models'], memory: '4GiB', 'hold-max': '30s', 'log-format': 'text' },
  backends: [{ name: 'triton-a', kind: 'v2', url: 'http://127.0.0.1:9000', models: ['a', 'b'] }],
};

function reloadNote(): string {
  const reloadable = Object.values<SettingRow>(settingsTable).filter((row) => row.reloadable === true);
  if (reloadable.length === 0) return 'A running server takes no new values: every change needs a restart.';
  return `A running server takes new values of ${reloadable.map((row) => code(row.flag)).join(', ')}; every other change needs a restart.`;
}

function groupSection({ title, rows }: SettingGroup): string {
  const body = Object.values(rows).map((row) => [
    names(row),
    defaultCell(row),
    takes(row),
    `${sentence(row.summary)} ${plain(row.why)}`,
  ]);
  return `## ${title}\n\n${table(['Flag and variable', 'Default', 'Takes', 'What it is, and why one would change it'], body)}`;
}

function names(row: SettingRow): string {
  return `${code(flagForm(settingFlag(row)))}<br>${code(envName(row))}${row.inFile === false ? '<br>not in a file' : ''}`;
}

function defaultCell(row: SettingRow): string {
  const text = writeDefault(row);
  return isDerived(row.default) || text === 'none' ? plain(text) : code(text);
}

/** Ranges alone: the forms of sizes and times are said once, above. */
function takes(row: SettingRow): string {
  const isRange = row.kind === 'count' || row.kind === 'bytes' || row.kind === 'duration';
  if (!isRange) return plain(expectedForm(row));
  const write = { count: String, bytes: writeByteSize, duration: writeDuration }[row.kind];
  return `${write(row.min)} to ${write(row.max)}${row.zero === undefined ? '' : `; 0: ${row.zero}`}`;
}
