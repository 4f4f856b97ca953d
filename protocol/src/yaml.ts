import type { Static, TSchema } from 'typebox';
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { FleetError, type ErrorCode } from './errors.ts';
import { parse } from './parse.ts';

export interface YamlRules<S extends TSchema> {
  /** Names the file in errors. */
  readonly where: string;
  readonly schema: S;
  /** Code of every error that is thrown. */
  readonly code: ErrorCode;
  readonly remedy?: string;
}

/** What a person wrote in YAML, checked. */
export interface YamlFile<T> {
  readonly value: T;
  /** An error about one place of the file, with its line. */
  fault(path: YamlPath, what: string, remedy?: string): FleetError;
}

type YamlPath = readonly (string | number)[];

/**
 * Parses YAML that a person wrote and checks it against a schema; an empty file is an empty document. Errors name
 * `file:line`. Aliases are bounded (a file of a few lines can otherwise grow without end).
 */
export function parseYaml<S extends TSchema>(text: string, rules: YamlRules<S>): YamlFile<Static<S>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fail = (what: string, offset: number | undefined, remedy = rules.remedy): FleetError =>
    new FleetError({
      code: rules.code,
      what,
      where: offset === undefined ? rules.where : `${rules.where}:${lines.linePos(offset).line}`,
      ...(remedy === undefined ? {} : { remedy }),
    });
  const [error] = document.errors;
  if (error !== undefined) throw fail(`This is not YAML: ${error.message}`, error.pos[0]);
  const fault: YamlFile<Static<S>>['fault'] = (path, what, remedy) =>
    fail(what, offsetOf(document, path), remedy);
  try {
    return {
      value: parse(rules.schema, document.toJS({ maxAliasCount: 100 }) ?? {}, { where: rules.where }),
      fault,
    };
  } catch (thrown) {
    const what = thrown instanceof FleetError ? thrown.problem.what : String(thrown);
    throw fault(pathIn(what), what);
  }
}

/** The schema's errors begin with a JSON pointer; an unknown field is at its end, so that its own line is named. */
function pathIn(what: string): YamlPath {
  const pointer = /^\/(\S*)/.exec(what)?.[1];
  const unknown = /has a field that is not known: ([^,\s]+)/.exec(what)?.[1];
  return [...(pointer === undefined ? [] : pointer.split('/')), ...(unknown === undefined ? [] : [unknown])];
}

/** Where the key at a path, or its nearest parent that exists, begins. */
function offsetOf(document: Document, path: YamlPath): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const pair = isMap(parent)
      ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(path[length - 1]))
      : undefined;
    const node = pair === undefined ? document.getIn(path.slice(0, length), true) : pair.key;
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0];
}
