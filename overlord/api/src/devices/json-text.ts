/**
 * A value as JSON that PostgreSQL takes. It refuses half of a surrogate pair, as a text has whose last emoji was cut in
 * two; U+FFFD stands for it. (NUL, which it refuses too, the server has taken out.)
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replaceAll(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, '$1\\ufffd');
}
