import { CommitSchema, DigestSchema, parse, RoleNameSchema, TimeSchema } from '@metrica-fleet/protocol';
import {
  Array as List,
  Boolean as Bool,
  Integer,
  Literal,
  Null,
  Number as Num,
  Object as Obj,
  Optional,
  Record,
  String as Str,
  Union,
} from 'typebox';
import type { Desired } from '../sources/source.ts';

const fields = {
  schemaVersion: Literal(1),
  role: RoleNameSchema,
  commit: CommitSchema,
  digest: Union([DigestSchema, Null()]),
  source: Str(),
  position: Str(),
  tree: Str(),
  layers: List(Obj({ from: Str(), values: Record(Str(), Union([Str(), Num(), Bool()])) })),
  statement: Optional(Obj({ text: Str(), signature: Str() })),
  counter: Optional(Integer()),
  time: Optional(TimeSchema),
};

/** `desired.json`: what is wanted, and beside it the last words of the sources that do not lead. */
const KeptSchema = Obj({ ...fields, others: Optional(List(Obj(fields))) });

/** What the sources have said last. */
export interface Kept {
  /** What is wanted. */
  readonly standing: Desired;
  /** One at most of each source that does not lead. */
  readonly others: readonly Desired[];
}

/** A file that was damaged or written by another version is as good as none: a source will say it again. */
export function parseKept(text: string, where: string): Kept | null {
  try {
    const { others = [], ...standing } = parse(KeptSchema, JSON.parse(text), { where });
    return { standing, others };
  } catch {
    return null;
  }
}

export function keptText({ standing, others }: Kept): string {
  return `${JSON.stringify(others.length === 0 ? standing : { ...standing, others })}\n`;
}
