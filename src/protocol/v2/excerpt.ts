const longestExcerpt = 256;

/** What a client sent, cut to a length that fits into an error text. */
export function excerpt(text: string): string {
  return text.length <= longestExcerpt ? text : `${text.slice(0, longestExcerpt)}...`;
}
