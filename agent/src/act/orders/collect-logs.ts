import { problemOf } from '@metrica-fleet/protocol';
import type { Deployment } from '../../decide/journal.ts';
import type { Context } from '../context.ts';

/** Lines of the agent's journal, lines of each service, and characters of it all that travel. */
const LIMITS = { journal: 150, service: 100, characters: 30_000 } as const;
const UNITS = ['role-agent.service', 'role-agent-pull.service', 'role-agent-wake.service'];

/** What people write beside a secret. The value goes, the name stays: it says what was there. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\b(authorization\s*:\s*(?:bearer|basic)?\s*)\S+/gi, '$1…'],
  [
    /((?:pass(?:word|wd|phrase)?|token|secret|api[_-]?key|private[_-]?key)["']?\s*[=:]\s*["']?)[^\s"',;&]+/gi,
    '$1…',
  ],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*):[^\s/@]+@/gi, '$1:…@'],
  [/\beyJ[\w-]{10,}\.[\w-]+\.[\w-]+/g, '…'],
];

/** The last lines of the agent and of each service of the role, newest last, without what looks like a secret. */
export async function collectLogs({ ports }: Context, current: Deployment | null): Promise<string> {
  const { stdout } = await ports.exec.run({
    label: 'order.journal',
    argv: [
      ...(['journalctl', '--no-pager', '-o', 'short-iso', '-n', String(LIMITS.journal)] as const),
      ...UNITS.flatMap((unit) => ['-u', unit]),
    ],
    deadline: 30_000,
  });
  const parts = [`--- agent\n${stdout.toString('utf8').trim()}`];
  for (const { service, id } of current === null ? [] : await ports.engine.containers(current.release.role)) {
    parts.push(`--- ${service}\n${await linesOf(ports, id)}`);
  }
  // Each gets its share, so that one that talks much does not push out the others.
  const share = Math.floor(LIMITS.characters / parts.length) - 1;
  return parts.map((part) => tail(redact(part), share)).join('\n');
}

async function linesOf({ engine }: Pick<Context['ports'], 'engine'>, container: string): Promise<string> {
  try {
    return (await engine.logs(container, LIMITS.service)).trim();
  } catch (thrown) {
    return `(${problemOf(thrown).what})`;
  }
}

/** Masks what looks like a secret. Not a guarantee: a program may write anything. */
export function redact(text: string): string {
  return SECRETS.reduce((redacted, [pattern, by]) => redacted.replaceAll(pattern, by), text);
}

/** The first line (whose it is) and as much of the end as there is room for. */
function tail(part: string, characters: number): string {
  if (part.length <= characters) return part;
  const [title = ''] = part.split('\n', 1);
  return `${title}\n…${part.slice(title.length + 2 - characters)}`;
}
