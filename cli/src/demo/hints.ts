import type { SignIn } from './overlord.ts';
import { ROLES, type Group } from './sample-fleet.ts';

/** What there is to try. */
export interface Stage {
  readonly url: string;
  readonly signIn: SignIn;
  /** Path of the fleet repo. */
  readonly repo: string;
  /** Path of `./fleet`. */
  readonly fleet: string;
  readonly port: number;
  readonly groups: readonly Group[];
  /** It was started with sudo: what it made belongs to root. */
  readonly sudo: boolean;
}

/** Something to try, with the very command that does it. */
export interface Hint {
  readonly about: string;
  readonly command: string;
}

/** Of `--port`, where it need not be said. */
export const DEFAULT_PORT = 8080;

/** What to try, in this order; a command may be given again. Pure. */
export function hintsOf({ repo, fleet, port, groups }: Stage): readonly Hint[] {
  const [pushed, broken = pushed] = ROLES.filter(({ name }) => groups.some(({ role }) => role === name));
  const devices = groups.reduce((sum, group) => sum + group.devices, 0);
  const device = `pi-${String(Math.min(3, devices)).padStart(4, '0')}`;
  const demo = `${quoted(fleet)} demo`;
  const where = port === DEFAULT_PORT ? '' : ` --port ${port}`;
  const page = `roles/${pushed?.name}/site/index.html`;
  const stack = `roles/${broken?.name}/compose.yaml`;
  const at = `cd ${quoted(repo)}`;
  return [
    {
      about: 'Push a change: it goes to the canaries, then to the early ones, then to all',
      command: `${at} && sed -i "s|<h1>.*</h1>|<h1>Fresh at $(date +%T)</h1>|" ${page} && git commit -qam "A fresh page"`,
    },
    {
      about:
        'Break a release: the canaries refuse it, its rollout halts, and they are back on the former one',
      command: `${at} && sed -i "s|command: .*httpd.*|command: ['false']|" ${stack} && git commit -qam "Break it"`,
    },
    {
      about: 'and mend it',
      command: `${at} && git revert --no-edit "$(git log -1 --format=%H --grep='^Break it')"`,
    },
    {
      about: 'Cut a device off: it goes on with what it runs, and is shown as offline after a while',
      command: `${demo} cut ${device}${where}`,
    },
    { about: 'and put it back: it catches up', command: `${demo} restore ${device}${where}` },
  ];
}

/** The screen that somebody sees once all devices have converged. */
export function invitation(stage: Stage): string {
  const { url, signIn, sudo } = stage;
  const hints = hintsOf(stage).map(({ about, command }) => `  ${about}:\n    ${command}\n`);
  return `
Look at it in a browser, signed in as the demo's admin:

    ${url}
    name      ${signIn.name}
    password  ${signIn.password}

Try, in another terminal${sudo ? ', as root (sudo -i)' : ''}:

${hints.join('\n')}
What happens is shown below. Ctrl-C ends everything.

`;
}

/** A word of a shell command, in quotes only where it needs them. */
function quoted(word: string): string {
  return /^[\w./+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
