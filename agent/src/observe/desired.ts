import {
  CommitSchema,
  DigestSchema,
  parse,
  problemOf,
  RoleNameSchema,
  type Problem,
} from '@metrica-fleet/protocol';
import {
  Array as List,
  Boolean as Bool,
  Literal,
  Null,
  Number as Num,
  Object as Obj,
  Optional,
  Record,
  String as Str,
  Union,
} from 'typebox';
import type { Context } from '../act/context.ts';
import type { Asking, Desired } from '../sources/source.ts';
import { readable } from './readable.ts';

/** How a source that was asked answered: `problem` is null where it did. */
export interface Contact {
  readonly source: string;
  readonly problem: Problem | null;
}

const DesiredSchema = Obj({
  schemaVersion: Literal(1),
  role: RoleNameSchema,
  commit: CommitSchema,
  digest: Union([DigestSchema, Null()]),
  source: Str(),
  position: Str(),
  tree: Str(),
  layers: List(Obj({ from: Str(), values: Record(Str(), Union([Str(), Num(), Bool()])) })),
  statement: Optional(Obj({ text: Str(), signature: Str() })),
});

/**
 * What this device should run: the answer of the first source that gives one, else the last answer that was ever
 * given. The answer is kept when it changed, and only then: a run in which nothing is new writes nothing.
 */
export async function observeDesired(
  { ports, paths, sources }: Pick<Context, 'ports' | 'paths' | 'sources'>,
  asking: Asking,
): Promise<{
  readonly desired: Desired | null;
  readonly contacts: readonly Contact[];
}> {
  const text = await readable(ports.disk, paths.desired);
  const last = text === null ? null : parseDesired(text, paths.desired);
  const contacts: Contact[] = [];
  for (const source of sources) {
    try {
      const desired = await source.desired(last, asking);
      const answer = desired === null ? null : `${JSON.stringify(desired)}\n`;
      if (answer === null && text !== null) await ports.disk.remove('desired.forget', paths.desired);
      if (answer !== null && answer !== text)
        await ports.disk.replace('desired.write', paths.desired, answer);
      contacts.push({ source: source.name, problem: null });
      return { desired, contacts };
    } catch (thrown) {
      contacts.push({ source: source.name, problem: problemOf(thrown) });
    }
  }
  return { desired: last, contacts };
}

/** A file that was damaged or written by another version is as good as none: a source will say it again. */
function parseDesired(text: string, where: string): Desired | null {
  try {
    return parse(DesiredSchema, JSON.parse(text), { where });
  } catch {
    return null;
  }
}
