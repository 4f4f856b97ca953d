/** What a part needs of the machine beyond Node. A program is looked for on PATH; its Debian package brings it. */
export interface Program {
  readonly program: string;
  readonly package: string;
}

/** One tool that must find nothing to complain about: counts as one. Run from the root of the clone. */
export interface Check {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  /** How to mend what it finds. */
  readonly remedy: string;
}

export type Work =
  | { readonly kind: 'checks'; readonly checks: readonly Check[] }
  /** Arguments of `vitest run`; each test counts as one. */
  | { readonly kind: 'vitest'; readonly args: readonly string[] };

export interface Part {
  readonly name: string;
  readonly about: string;
  /**
   * Its share of the time, in minutes; then it is killed and has failed. About twice what it takes on two cores without
   * other load: a share is there to end what hangs, not to make a slow machine red. All together stay under an hour.
   */
  readonly minutes: number;
  readonly needsRoot: boolean;
  readonly programs: readonly Program[];
  readonly work: Work;
}

const git = { program: 'git', package: 'git' };
const openssl = { program: 'openssl', package: 'openssl' };
const sshKeygen = { program: 'ssh-keygen', package: 'openssh-client' };

/** Everything that `fleet test` can run, in this order. `.ci/run` installs the packages of all of them. */
export const PARTS: readonly Part[] = [
  {
    name: 'static',
    about: 'types, lint, import rules, dead code, format',
    minutes: 5,
    needsRoot: false,
    programs: [],
    work: {
      kind: 'checks',
      checks: [
        { name: 'types', argv: script('types'), remedy: 'Mend the types.' },
        { name: 'lint', argv: script('lint'), remedy: 'npm run lint -- --fix mends some.' },
        {
          name: 'boundaries',
          argv: script('boundaries'),
          remedy: 'Rules, with reasons: .dependency-cruiser.cjs.',
        },
        { name: 'dead code', argv: script('dead-code'), remedy: 'Remove it, or stop exporting it.' },
        { name: 'format', argv: script('format:check'), remedy: 'npm run format.' },
      ],
    },
  },
  {
    name: 'unit',
    about: 'tests of each package, and of the rules between them',
    minutes: 10,
    needsRoot: false,
    programs: [
      git,
      openssl,
      sshKeygen,
      { program: 'ps', package: 'procps' },
      { program: 'flock', package: 'util-linux' },
      { program: 'dpkg-deb', package: 'dpkg' },
    ],
    work: { kind: 'vitest', args: ['--config', 'vitest.config.ts'] },
  },
  {
    name: 'postgresql',
    about: 'the overlord with DATABASE_URL and PostgreSQL from Debian',
    minutes: 6,
    needsRoot: false,
    programs: [git, openssl, sshKeygen, { program: 'pg_ctlcluster', package: 'postgresql' }],
    work: { kind: 'vitest', args: ['--config', 'overlord/api/test/debian/vitest.config.ts'] },
  },
  {
    name: 'browser',
    about: 'the dashboard in a real browser, on a real overlord',
    minutes: 6,
    needsRoot: false,
    programs: [git, openssl, sshKeygen, { program: 'chromium', package: 'chromium' }],
    work: { kind: 'vitest', args: ['--config', 'test/browser/vitest.config.ts'] },
  },
  {
    name: 'demo',
    about: 'the demo as a person runs it, and every command that it prints',
    minutes: 5,
    needsRoot: false,
    programs: [git, openssl, sshKeygen, { program: 'setpriv', package: 'util-linux' }],
    work: { kind: 'vitest', args: ['--config', 'test/demo/vitest.config.ts'] },
  },
  {
    name: 'virtual-pi',
    about: 'the agent on real systemd, Docker and Compose, by itself and with an overlord',
    minutes: 20,
    needsRoot: true,
    programs: [
      git,
      sshKeygen,
      { program: 'dockerd', package: 'docker.io' },
      { program: 'iptables', package: 'iptables' },
      { program: 'docker-registry', package: 'docker-registry' },
      { program: 'mmdebstrap', package: 'mmdebstrap' },
      { program: 'busybox', package: 'busybox-static' },
    ],
    work: { kind: 'vitest', args: ['--config', 'test/virtual-pi/vitest.config.ts'] },
  },
];

/** A script of the root's package.json: the tools have their command lines there, for people too. */
function script(name: string): Check['argv'] {
  return ['npm', 'run', '--silent', name];
}
