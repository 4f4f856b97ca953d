import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';

/** A value of a YAML file with the line that it stands on; aliases and merge keys (`<<`) are resolved. */
export interface Tree {
  readonly kind: 'map' | 'list' | 'scalar';
  /** Of the key, where the value has one. */
  readonly line: number;
  /** The value of a scalar; null for maps and lists. */
  readonly value: string | number | boolean | null;
  /** The fields of a map; empty otherwise. */
  readonly fields: ReadonlyMap<string, Tree>;
  /** The items of a list; empty otherwise. */
  readonly items: readonly Tree[];
}

export type TreeResult = { readonly tree: Tree } | { readonly what: string; readonly line: number | null };

/** A few lines of aliases can stand for billions of values; an honest file has a few thousand. Long texts count more. */
const LIMITS = { values: 20_000, depth: 64 } as const;

const NOTHING = { fields: new Map<string, Tree>(), items: [] as readonly Tree[], value: null } as const;

class TooLarge extends Error {
  readonly line: number;

  constructor(what: string, line: number) {
    super(`${what}, aliases included`);
    this.line = line;
  }
}

/** Reads YAML into a tree. Never throws: what is not YAML, or too much of it, comes back as a fault with its line. */
export function readTree(text: string): TreeResult {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
      uniqueKeys,
    });
    const [error] = document.errors;
    if (error !== undefined) return { what: error.message, line: lines.linePos(error.pos[0]).line };
    return { tree: new Reader(document, lines).root() };
  } catch (thrown) {
    if (thrown instanceof TooLarge) return { what: thrown.message, line: thrown.line };
    return {
      what: `it cannot be read (${thrown instanceof Error ? thrown.message : 'unknown'})`,
      line: null,
    };
  }
}

function uniqueKeys(a: unknown, b: unknown): boolean {
  return a === b || (isScalar(a) && isScalar(b) && a.value === b.value && a.value !== '<<');
}

class Reader {
  private values = 0;
  private readonly document: Document;
  private readonly lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.document = document;
    this.lines = lines;
  }

  root(): Tree {
    return this.read(this.document.contents, { line: 1, depth: 0 });
  }

  private read(node: unknown, at: { line: number; depth: number; keyed?: boolean }): Tree {
    this.values += 1 + (isScalar(node) && typeof node.value === 'string' ? node.value.length / 100 : 0);
    const line = at.keyed === true ? at.line : this.lineOf(node, at.line);
    if (this.values > LIMITS.values) throw new TooLarge(`it has more than ${LIMITS.values} values`, line);
    if (at.depth > LIMITS.depth) throw new TooLarge(`it is nested more than ${LIMITS.depth} deep`, line);
    const depth = at.depth + 1;
    if (isAlias(node)) return this.read(node.resolve(this.document), { ...at, line, depth, keyed: true });
    if (hasTag(node, '!reset')) return { ...NOTHING, kind: 'scalar', line };
    if (isMap(node)) return { ...NOTHING, kind: 'map', line, fields: this.fields(node, depth) };
    if (isSeq(node)) {
      return {
        ...NOTHING,
        kind: 'list',
        line,
        items: node.items.map((item) => this.read(item, { line, depth })),
      };
    }
    return { ...NOTHING, kind: 'scalar', line, value: scalarOf(node) };
  }

  private fields(node: Node, depth: number): Map<string, Tree> {
    const own = new Map<string, Tree>();
    const merged: Tree[] = [];
    for (const { key, value } of isMap(node) ? node.items : []) {
      const line = this.lineOf(key, this.lineOf(node, 1));
      const tree = this.read(value, { line, depth, keyed: true });
      const name = isScalar(key) ? String(key.value) : String(key);
      if (name === '<<') merged.push(...(tree.kind === 'list' ? tree.items : [tree]));
      else own.set(name, tree);
    }
    // Of several sources the first wins, and the map's own fields win over all (yaml.org/type/merge.html).
    for (const { fields } of merged) {
      for (const [name, tree] of fields) if (!own.has(name)) own.set(name, tree);
    }
    return own;
  }

  private lineOf(node: unknown, otherwise: number): number {
    const range = (node as Node | null | undefined)?.range;
    return range ? this.lines.linePos(range[0]).line : otherwise;
  }
}

function hasTag(node: unknown, tag: string): boolean {
  return (node as Node | null | undefined)?.tag === tag;
}

function scalarOf(node: unknown): Tree['value'] {
  const value: unknown = isScalar(node) ? node.value : null;
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
