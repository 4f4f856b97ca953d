import type { Image } from '../engine.ts';
import type { Exec } from '../exec.ts';
import type { Label } from '../ports.ts';
import { mustRunDocker, refused, runDocker } from './docker-failure.ts';

/** Milliseconds. Removing unlinks thousands of files on a slow card. */
const LOOK = 30_000;
const REMOVE = 120_000;

/** What is asked of each image, one a line. */
const FORMAT = '{{json .Id}},{{json .RepoTags}},{{.Size}},{{json .Created}}';

/** One question when all are here, which is the rule; one for each only when some are not. */
export async function imageIds(
  exec: Exec,
  references: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const distinct = [...new Set(references)];
  const all = await idsOf(exec, distinct);
  if (all !== null)
    return Object.fromEntries(distinct.map((reference, index) => [reference, all[index] ?? '']));
  const found: Record<string, string> = {};
  for (const reference of distinct.length === 1 ? [] : distinct) {
    const [id] = (await idsOf(exec, [reference])) ?? [];
    if (id !== undefined) found[reference] = id;
  }
  return found;
}

/** In the order of the references; null where one of them is not here. */
async function idsOf(exec: Exec, references: readonly string[]): Promise<readonly string[] | null> {
  if (references.length === 0) return [];
  const argv = ['docker', 'image', 'inspect', '--format', '{{.Id}}', ...references] as const;
  const asked = await runDocker(exec, { label: 'engine.images', argv, deadline: LOOK });
  if (asked.code !== 0 && !/no such image/i.test(asked.stderr)) throw refused('image inspect', asked);
  return asked.code === 0 ? linesOf(asked.stdout.toString('utf8')) : null;
}

/** Every image, and whether a container has it. Four processes at most. */
export async function images(exec: Exec): Promise<readonly Image[]> {
  const ids = linesOf(await docker(exec, ['image', 'ls', '--quiet', '--no-trunc']));
  if (ids.length === 0) return [];
  const containers = linesOf(await docker(exec, ['ps', '--all', '--quiet', '--no-trunc']));
  const used = new Set(
    containers.length === 0 ? [] : await inspected(exec, 'container', ['{{.Image}}', ...containers]),
  );
  const lines = await inspected(exec, 'image', [FORMAT, ...new Set(ids)]);
  return lines
    .map((line) => {
      const [id, tags, size, created] = JSON.parse(`[${line}]`) as [string, string[] | null, number, string];
      return { id, tags: tags ?? [], size, created, inUse: used.has(id) };
    })
    .sort((one, other) => (one.created < other.created ? -1 : 1));
}

export async function removeImage(exec: Exec, label: Label, names: readonly string[]): Promise<void> {
  const argv = ['docker', 'image', 'rm', ...names] as const;
  const asked = await runDocker(exec, { label, argv, deadline: REMOVE });
  // Somebody else was faster: what was wanted is so.
  if (asked.code !== 0 && !/no such image/i.test(asked.stderr)) throw refused('image rm', asked);
}

/** What vanished in between makes docker exit 1, and is rightly absent from what it printed. */
async function inspected(
  exec: Exec,
  type: 'container' | 'image',
  rest: readonly string[],
): Promise<string[]> {
  const argv = ['docker', 'inspect', '--type', type, '--format', ...rest] as const;
  const asked = await runDocker(exec, { label: 'engine.inspect', argv, deadline: LOOK });
  if (asked.code !== 0 && !/no such/i.test(asked.stderr)) throw refused('inspect', asked);
  return linesOf(asked.stdout.toString('utf8'));
}

function docker(exec: Exec, args: readonly [string, ...string[]]): Promise<string> {
  return mustRunDocker(
    exec,
    { label: 'engine.list', argv: ['docker', ...args], deadline: LOOK },
    { code: 'command-failed', what: `\`docker ${args[0]}\` failed` },
  );
}

function linesOf(output: string): string[] {
  return output.split('\n').filter((line) => line !== '');
}
