import type { Tree } from './tree.ts';

/** A scalar of a tree, and the keys (or indices) that lead to it. */
export interface Leaf {
  readonly path: readonly string[];
  readonly tree: Tree;
}

/** Every scalar of a tree, in order. */
export function* leavesOf(tree: Tree, path: readonly string[] = []): Generator<Leaf> {
  if (tree.kind === 'scalar') yield { path, tree };
  for (const [name, field] of tree.fields) yield* leavesOf(field, [...path, name]);
  for (const [index, item] of tree.items.entries()) yield* leavesOf(item, [...path, String(index)]);
}

/** What a path of keys leads to. */
export function at(tree: Tree | null | undefined, ...path: readonly string[]): Tree | undefined {
  let here = tree ?? undefined;
  for (const name of path) here = here?.kind === 'list' ? here.items[Number(name)] : here?.fields.get(name);
  return here;
}

/** The text of a scalar: numbers and booleans as they are printed; null for maps, lists and nothing. */
export function textAt(tree: Tree | undefined): string | null {
  return tree === undefined || tree.value === null ? null : String(tree.value);
}

/** One entry of what Compose lets people write as a list of `name=value` or as a map. */
export interface Entry {
  readonly name: string;
  /** Null where only the name is given. */
  readonly value: string | null;
  readonly line: number;
}

/** The entries of a list or map; `separator` is that of the list form. */
export function entriesOf(tree: Tree | undefined, separator: RegExp = /=/): Entry[] {
  if (tree === undefined) return [];
  const mapped = [...tree.fields].map(([name, field]) => ({ name, value: textAt(field), line: field.line }));
  const listed = tree.items.map((item) => {
    const text = textAt(item) ?? '';
    const cut = text.search(separator);
    if (cut === -1) return { name: text, value: null, line: item.line };
    return { name: text.slice(0, cut), value: text.slice(cut + 1), line: item.line };
  });
  return [...mapped, ...listed];
}

/** A scalar, or the scalars of a list or the keys of a map: how Compose writes most lists of names. */
export function namesOf(tree: Tree | undefined): Entry[] {
  if (tree === undefined) return [];
  const own = textAt(tree);
  return own === null ? entriesOf(tree, /(?!)/) : [{ name: own, value: null, line: tree.line }];
}
