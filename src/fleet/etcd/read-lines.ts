/** One answer of etcd is far smaller: a longer line is not etcd's. */
const maxLineLength = 64 * 1024 * 1024;

/** The lines of a stream of UTF-8, without those that are empty. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop()!;
    if (rest.length > maxLineLength) throw new Error(`a line of more than ${maxLineLength} characters`);
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  if (rest.trim() !== '') yield rest;
}
