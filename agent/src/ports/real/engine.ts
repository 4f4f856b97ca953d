import { FleetError, problemOf } from '@metrica-fleet/protocol';
import { OLDEST_COMPOSE, type Container, type Engine, type StackChange } from '../engine.ts';
import type { Command, Exec } from '../exec.ts';
import type { Label } from '../ports.ts';
import { composeFileIn, modelOf, modelText } from './compose-file.ts';
import { containersOf, PROJECT_LABEL, ROLE_LABEL, SERVICE_LABEL } from './containers.ts';
import { composeMissing, lastLines, mustRunDocker, refused, runDocker } from './docker-failure.ts';
import { imageIds, images, removeImage } from './images.ts';

/** Milliseconds. Looking is quick; a change waits for containers that take their grace period to stop, on a slow card. */
const LOOK = 30_000;
const RESOLVE = 60_000;
const CHANGE = 300_000;

/** Nothing of our environment changes what Compose does: see `environment variables` in its reference. */
const COMPOSE = ['docker', 'compose', '--ansi', 'never'] as const;
const COMPOSE_ENV = { COMPOSE_IGNORE_ORPHANS: 'true', COMPOSE_MENU: 'false' } as const;

/** Docker Engine and Compose by their command line: what an operator would type, and sees in `history`. */
export function dockerEngine(exec: Exec): Engine {
  return {
    check: () => check(exec),
    life: () => life(exec),
    containers: (project) => containers(exec, [`label=${PROJECT_LABEL}=${project}`]),
    projects: () => projects(exec),
    missingImages: (references) => missingImages(exec, references),
    imageIds: (references) => imageIds(exec, references),
    images: () => images(exec),
    removeImage: (label, names) => removeImage(exec, label, names),
    up: (wanted) => up(exec, wanted),
    execIn: (container, argv, deadline) => execIn(exec, { container, argv, deadline }),
    async resolve(project, folder, variables) {
      const file = await composeFileIn(folder);
      const where = ['--project-directory', folder, '-f', file, '-p', project];
      const argv = [...COMPOSE, ...where, 'config', '--format', 'json'] as const;
      const output = await mustRunDocker(
        exec,
        { label: 'engine.resolve', argv, deadline: RESOLVE, env: variables, cwd: folder },
        { code: 'compose-invalid', what: 'Compose refuses the file', where: file },
      );
      return modelOf(output);
    },
    async restartEngine(label) {
      const argv = ['systemctl', 'restart', 'docker.service'] as const;
      const what = 'The Docker engine could not be restarted';
      await mustRunDocker(exec, { label, argv, deadline: CHANGE }, { code: 'docker-unreachable', what });
    },
    async restart(label, project, services) {
      const ids = await idsOf(exec, project, services);
      await change(exec, label, ['docker', 'restart', ...ids]);
    },
    async removeServices(label, project, services) {
      const ids = await idsOf(exec, project, services);
      await change(exec, label, ['docker', 'stop', ...ids]);
      await change(exec, label, ['docker', 'rm', '--force', ...ids]);
    },
    async down(label, project) {
      const argv = [...COMPOSE, '-p', project, 'down', '--remove-orphans'] as const;
      const what = `The stack ${project} could not be stopped`;
      await mustRunDocker(
        exec,
        { label, argv, deadline: CHANGE, env: COMPOSE_ENV },
        { code: 'command-failed', what },
      );
    },
    async logs(container, lines) {
      // Through a shell, so that stdout and stderr arrive in the order in which they were written, and bounded.
      const script = 'docker logs --tail "$1" "$2" 2>&1 | tail -c 65536';
      const argv = ['sh', '-c', script, 'sh', String(lines), container] as const;
      return (await exec.run({ label: 'engine.logs', argv, deadline: LOOK })).stdout.toString('utf8');
    },
  };
}

async function check(exec: Exec): Promise<{ engine: string; compose: string }> {
  const asked = await mustRunDocker(
    exec,
    {
      label: 'engine.version',
      argv: ['docker', 'version', '--format', '{{.Server.Version}}'],
      deadline: LOOK,
    },
    { code: 'docker-unreachable', what: 'The Docker engine does not answer' },
  );
  const compose = await runDocker(exec, {
    label: 'engine.compose-version',
    argv: ['docker', 'compose', 'version', '--short'],
    deadline: LOOK,
  });
  const version = compose.stdout.toString('utf8').trim().replace(/^v/, '');
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  if (compose.code !== 0 || Number.isNaN(major)) throw composeMissing('Docker has no `compose` command');
  const [oldestMajor, oldestMinor] = OLDEST_COMPOSE;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw composeMissing(`Compose ${version} is too old`);
  }
  return { engine: asked.trim(), compose: version };
}

/** systemd gives each start of a unit an id of its own. An engine that it did not start has none. */
async function life(exec: Exec): Promise<string | null> {
  const argv = ['systemctl', 'show', '--property=InvocationID', '--value', 'docker.service'] as const;
  const { code, stdout } = await exec.run({ label: 'engine.life', argv, deadline: LOOK });
  const id = stdout.toString('utf8').trim();
  return code === 0 && id !== '' ? id : null;
}

/** Two processes at most: the ids by label, then everything about them at once. `docker compose run` leftovers are not ours. */
async function containers(exec: Exec, filters: readonly string[]): Promise<readonly Container[]> {
  const ids = await list(exec, [...filters, 'label=com.docker.compose.oneoff=False'], '{{.ID}}');
  if (ids.length === 0) return [];
  const argv = ['docker', 'inspect', '--type', 'container', ...ids] as const;
  const inspected = await runDocker(exec, { label: 'engine.inspect', argv, deadline: LOOK });
  // A container that vanished in between makes docker exit 1, and is rightly absent from what it printed.
  if (inspected.code !== 0 && !/no such/i.test(inspected.stderr)) throw refused('inspect', inspected);
  return containersOf(inspected.stdout.toString('utf8'));
}

async function projects(exec: Exec): Promise<readonly string[]> {
  const names = await list(exec, [`label=${ROLE_LABEL}`], `{{.Label "${PROJECT_LABEL}"}}`);
  return [...new Set(names)].filter((name) => name !== '').sort();
}

async function list(exec: Exec, filters: readonly string[], format: string): Promise<readonly string[]> {
  const wanted = filters.flatMap((filter) => ['--filter', filter]);
  const output = await mustRunDocker(
    exec,
    {
      label: 'engine.list',
      argv: ['docker', 'ps', '--all', '--no-trunc', '--format', format, ...wanted],
      deadline: LOOK,
    },
    { code: 'command-failed', what: '`docker ps` failed' },
  );
  return output.split('\n').filter((line) => line !== '');
}

async function idsOf(exec: Exec, project: string, services: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    services.map((service) =>
      list(exec, [`label=${PROJECT_LABEL}=${project}`, `label=${SERVICE_LABEL}=${service}`], '{{.ID}}'),
    ),
  );
  return found.flat();
}

async function missingImages(exec: Exec, references: readonly string[]): Promise<readonly string[]> {
  const here = await imageIds(exec, references);
  return references.filter((reference) => here[reference] === undefined);
}

/**
 * Names the services and says `--no-deps`: a plain `up` runs one-shots again (tried). `--pull never`: what runs was
 * staged before the swap, and a way back must not need the network.
 */
async function up(exec: Exec, { label, model, services }: StackChange): Promise<void> {
  if (services.length === 0) return;
  const flags = ['--detach', '--no-deps', '--no-build', '--pull', 'never', '--quiet-pull'];
  const argv = [...COMPOSE, '-f', '-', '-p', model.name, 'up', ...flags, ...services] as const;
  try {
    await mustRunDocker(
      exec,
      { label, argv, deadline: CHANGE, input: modelText(model), env: COMPOSE_ENV },
      {
        code: 'start-failed',
        what: 'The stack does not start',
        where: services.map((name) => `service ${name}`).join(', '),
      },
    );
  } catch (thrown) {
    throw (await lostPort(exec, thrown)) ?? thrown;
  }
}

/**
 * A power cut while a container starts leaves its port with the engine, for as long as that lives, and with no container
 * (tried with 26.1). Null where somebody has the port.
 */
async function lostPort(exec: Exec, thrown: unknown): Promise<FleetError | null> {
  const port = /:(\d+) failed: port is already allocated/.exec(problemOf(thrown).what)?.[1];
  if (port === undefined) return null;
  const argv = ['docker', 'ps', '--quiet', '--filter', `publish=${port}`] as const;
  const { code, stdout } = await runDocker(exec, { label: 'engine.port', argv, deadline: LOOK });
  if (code !== 0 || stdout.toString('utf8').trim() !== '') return null;
  return new FleetError(
    {
      code: 'docker-stuck',
      what: `The Docker engine keeps port ${port} for a container that there is not any more`,
      where: '/var/run/docker.sock',
      remedy: '`sudo systemctl restart docker` frees it; the agent does that by itself.',
    },
    { cause: thrown },
  );
}

async function execIn(
  exec: Exec,
  { container, argv, deadline }: { container: string; argv: readonly string[]; deadline: number },
): Promise<string | null> {
  const command: Command = { label: 'engine.exec', argv: ['docker', 'exec', container, ...argv], deadline };
  try {
    const { code, stdout, stderr } = await runDocker(exec, command);
    return code === 0 ? null : `exit ${code}: ${lastLines(stderr || stdout.toString('utf8'), 1)}`;
  } catch (thrown) {
    if (thrown instanceof FleetError && thrown.problem.code === 'deadline-exceeded')
      return 'no answer in time';
    throw thrown;
  }
}

async function change(exec: Exec, label: Label, argv: readonly [string, string, ...string[]]): Promise<void> {
  const options = 2 + (argv[2] === '--force' ? 1 : 0);
  if (argv.length === options) return;
  const what = `«docker ${argv[1]}» failed`;
  await mustRunDocker(exec, { label, argv, deadline: CHANGE }, { code: 'command-failed', what });
}
