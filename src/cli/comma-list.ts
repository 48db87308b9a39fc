/** `gpu=a100,disk=ssd`; undefined where it is not of that form. */
export function parseLabels(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (const pair of listOf(text)) {
    const [name = '', value, rest] = pair.split('=');
    if (name === '' || value === undefined || rest !== undefined) return undefined;
    labels[name] = value;
  }
  return labels;
}

/** Parts of a text that commas part. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
