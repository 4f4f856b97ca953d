import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { dashboardOf } from '../build-dashboard.ts';
import { buildParts } from '../build-parts.ts';
import { exec } from '../exec.ts';
import { EXIT } from '../exit.ts';
import type { Shell } from '../program.ts';

interface Options {
  readonly repo?: string;
  readonly branch: string;
  readonly repoCredentials?: string;
  readonly port: string;
  readonly localPort: string;
  readonly data?: string;
  readonly host?: readonly string[];
  readonly deviceTokenLife?: string;
}

/** What the overlord says on its standard output once it is ready. */
interface Ready {
  readonly ready: true;
  readonly url: string;
  readonly localUrl: string;
  readonly firstAdminUrl: string | null;
}

/** `fleet up`: the overlord, for real use, until Ctrl-C or SIGTERM. */
export function addUp(shell: Shell): void {
  shell.program
    .command('up')
    .description('Start the overlord: the control plane, with its database and its certificates')
    .option('--repo <url>', 'the fleet’s Git repo: anything that Git fetches, or a path')
    .option('--branch <name>', 'the branch that the fleet follows', 'main')
    .option('--repo-credentials <file>', 'a line `https://user:token@host`, readable by you alone')
    .option('--port <port>', 'for devices and people, with TLS', '8443')
    .option('--local-port <port>', 'for a browser on this machine, without TLS', '8080')
    .option(
      '--data <folder>',
      'where everything is kept (default: /var/lib/metrica-fleet as root, else in ~/.local/share)',
    )
    .option(
      '--host <name...>',
      'names and addresses by which devices reach this machine; the first is printed',
    )
    .option(
      '--device-token-life <seconds>',
      'how long a device may go without renewing its token (default: a day)',
    )
    .action(async (options: Options) => up(shell, options));
}

async function up(shell: Shell, options: Options): Promise<void> {
  const { terminal, root } = shell;
  await buildParts(root, terminal);
  const agentPackage = await packageOf(root);
  const overlord = spawn(
    process.execPath,
    [join(root, 'overlord/api/dist/src/main.js'), ...argvOf(options, root, agentPackage)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  // Ctrl-C reaches the overlord by itself, as one of our group; SIGTERM is for us alone.
  process.on('SIGTERM', () => overlord.kill('SIGTERM'));
  process.on('SIGINT', () => undefined);
  let said = '';
  overlord.stdout.on('data', (chunk: Buffer) => {
    const lines = `${said}${chunk.toString('utf8')}`.split('\n');
    said = lines.pop() ?? '';
    for (const line of lines) {
      const ready = readyOf(line);
      if (ready === null) terminal.aside(`${line}\n`);
      else terminal.out(welcome(ready));
    }
  });
  const code = await new Promise<number | null>((resolve) => overlord.on('close', resolve));
  if (code === 64) shell.exit(EXIT.usage);
  else if (code !== 0) shell.exit(EXIT.failed);
}

/** The agent's package, made once; what a Pi installs. */
async function packageOf(root: string): Promise<string> {
  const script = join(root, 'agent/dist/debian/build-deb.js');
  const { stdout } = await exec({ argv: [process.execPath, script, join(root, 'dist')] });
  const path = stdout.toString('utf8').trim().split('\n').at(-1) ?? '';
  await access(path);
  return path;
}

function argvOf(options: Options, root: string, agentPackage: string): string[] {
  const pairs = Object.entries({
    '--repo': options.repo,
    '--branch': options.branch,
    '--repo-credentials': options.repoCredentials,
    '--port': options.port,
    '--local-port': options.localPort,
    '--data': options.data,
    '--device-token-life': options.deviceTokenLife,
    '--agent-package': agentPackage,
    '--dashboard': dashboardOf(root),
  });
  const given = pairs.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  return [...given, ...(options.host ?? []).flatMap((name) => ['--host', name])];
}

function readyOf(line: string): Ready | null {
  if (!line.startsWith('{"ready":true')) return null;
  return JSON.parse(line) as Ready;
}

function welcome({ url, localUrl, firstAdminUrl }: Ready): string {
  const first =
    firstAdminUrl === null
      ? `Sign in:       ${localUrl}/`
      : `First admin:   ${firstAdminUrl}\n               This link works once. It is the only way in until it has been used.`;
  return `The overlord is running.

${first}
For devices:   ${url}
API reference: ${localUrl}/api/docs

Ctrl-C stops it; devices go on with what they run.
`;
}
