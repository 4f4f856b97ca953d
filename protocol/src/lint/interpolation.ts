/** A variable in a value of a compose file: `$NAME`, `${NAME}`, `${NAME:-default}` and the like. */
export interface Reference {
  readonly name: string;
  /** `-` default, `?` required, `+` replacement; with `:` an empty value counts as none. */
  readonly operator: '' | '-' | ':-' | '?' | ':?' | '+' | ':+';
  /** What follows the operator; may hold references of its own. */
  readonly argument: string;
}

/** A `$` that Compose refuses as an invalid interpolation, such as `$(date)`. */
interface Malformed {
  readonly malformed: string;
}

type Part = string | Reference | Malformed;

const NAME = /^[_a-zA-Z][_a-zA-Z0-9]*/;
/** Nested defaults that are deeper than this are no honest file. */
const DEPTH = 20;

/** The references of a text, those in the arguments of others included. */
export function referencesIn(text: string, depth = 0): Reference[] {
  if (depth > DEPTH) return [];
  return partsOf(text).flatMap((part) =>
    typeof part === 'object' && 'name' in part ? [part, ...referencesIn(part.argument, depth + 1)] : [],
  );
}

/** The places of a text that Compose refuses; `$$` stands for a plain `$`. */
export function malformedIn(text: string): string[] {
  return partsOf(text).flatMap((part) =>
    typeof part === 'object' && 'malformed' in part ? [part.malformed] : [],
  );
}

/** The text with its variables replaced; null where one has neither a value nor a default, so that nothing is known. */
export function interpolated(
  text: string,
  valueOf: (name: string) => string | undefined,
  depth = 0,
): string | null {
  if (depth > DEPTH) return null;
  const texts = partsOf(text).map((part) => {
    if (typeof part === 'string') return part;
    if ('malformed' in part) return null;
    const value = valueOf(part.name);
    const given = value !== undefined && (value !== '' || !part.operator.startsWith(':'));
    const argument = (): string | null => interpolated(part.argument, valueOf, depth + 1);
    if (part.operator.endsWith('+')) return given ? argument() : '';
    if (given) return value;
    return part.operator.endsWith('-') ? argument() : null;
  });
  return texts.includes(null) ? null : texts.join('');
}

function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let rest = text;
  for (;;) {
    const dollar = rest.indexOf('$');
    if (dollar === -1) return [...parts, rest];
    parts.push(rest.slice(0, dollar));
    rest = rest.slice(dollar);
    const { part, length } = startOf(rest);
    parts.push(part);
    rest = rest.slice(length);
  }
}

function startOf(text: string): { part: Part; length: number } {
  if (text[1] === '$') return { part: '$', length: 2 };
  if (text[1] === '{') return braced(text);
  const name = NAME.exec(text.slice(1))?.[0];
  if (name === undefined) return { part: { malformed: text.slice(0, 12) }, length: 1 };
  return { part: { name, operator: '', argument: '' }, length: name.length + 1 };
}

function braced(text: string): { part: Part; length: number } {
  const end = closing(text);
  const inner = text.slice(2, end);
  const name = NAME.exec(inner)?.[0] ?? '';
  const operator = /^(:?[-?+])?/.exec(inner.slice(name.length))?.[0] as Reference['operator'];
  const argument = inner.slice(name.length + operator.length);
  const whole = end !== -1 && name !== '' && (operator !== '' || argument === '');
  // Past the whole of it, so that a text of nothing but `${` does not take quadratic time.
  if (!whole) {
    const length = end === -1 ? text.length : end + 1;
    return { part: { malformed: text.slice(0, Math.min(length, 40)) }, length };
  }
  return { part: { name, operator, argument }, length: end + 1 };
}

/** The brace that closes the one at the start; -1 for none. */
function closing(text: string): number {
  let open = 0;
  for (let at = 1; at < text.length; at += 1) {
    if (text[at] === '{' && text[at - 1] === '$') open += 1;
    if (text[at] === '}') open -= 1;
    if (open === 0) return at;
  }
  return -1;
}
