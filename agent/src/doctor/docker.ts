import { parse } from '@metrica-fleet/protocol';
import { Array as List, Object as Obj, Optional, String as Str, type Static } from 'typebox';
import { OLDEST_COMPOSE } from '../ports/engine.ts';
import { judgeDockerLogs, type LoggingFacts } from './docker-logs.ts';
import { ok, problem, unknown, warning, type Finding } from './finding.ts';
import { says, textAt, topic, type Patient } from './patient.ts';

/** What we read of `docker info --format '{{json .}}'`, which answers without an engine too. */
const InfoSchema = Obj({
  ServerVersion: Optional(Str()),
  Driver: Optional(Str()),
  LoggingDriver: Optional(Str()),
  ServerErrors: Optional(List(Str())),
  ClientInfo: Optional(
    Obj({ Plugins: Optional(List(Obj({ Name: Optional(Str()), Version: Optional(Str()) }))) }),
  ),
});
type Info = Static<typeof InfoSchema>;

export interface DockerFacts extends LoggingFacts {
  /** Null where `docker` is not installed, `silent` where it did not answer in time. */
  readonly info: Info | 'silent' | null;
  /** What `docker-compose version --short` says: the old script, or the new one under its old name. Null where there is none. */
  readonly composeScript: string | null;
  /** `trixie`, `bookworm`: who packages Compose how. */
  readonly suite: string | null;
}

const WHERE = '/var/lib/docker';

async function gatherDocker(patient: Patient): Promise<DockerFacts> {
  const [info, script, containers] = await Promise.all([
    infoOf(patient),
    says(patient, 'doctor.compose-v1', ['docker-compose', 'version', '--short']),
    says(patient, 'doctor.containers', ['sh', '-c', UNBOUNDED]),
  ]);
  const release = await textAt(patient, '/etc/os-release');
  return {
    info,
    composeScript: script?.code === 0 ? script.out : null,
    suite: /^VERSION_CODENAME=(\w+)/m.exec(release ?? '')?.[1] ?? null,
    logging: info === null || info === 'silent' ? null : (info.LoggingDriver ?? null),
    daemonFile: await textAt(patient, '/etc/docker/daemon.json'),
    unboundedContainers:
      containers?.code === 0 ? containers.out.split('\n').filter((name) => name !== '') : [],
  };
}

/** Names of the running containers whose log is a file without a limit. */
const UNBOUNDED = `ids=$(docker ps -q); [ -z "$ids" ] || docker inspect --format '{{.HostConfig.LogConfig.Type}}-{{index .HostConfig.LogConfig.Config "max-size"}} {{.Name}}' $ids | sed -n 's/^json-file- [/]//p'`;

async function infoOf(patient: Patient): Promise<DockerFacts['info']> {
  const there = await says(patient, 'doctor.docker-there', ['sh', '-c', 'command -v docker']);
  if (there !== null && there.code !== 0) return null;
  const said = await says(patient, 'doctor.docker', ['docker', 'info', '--format', '{{json .}}']);
  if (said === null) return 'silent';
  try {
    return parse(InfoSchema, JSON.parse(said.out), { where: 'docker info' });
  } catch {
    return { ServerErrors: [said.err || said.out] };
  }
}

export function judgeDocker(facts: DockerFacts): readonly Finding[] {
  const { info } = facts;
  const engine = judgeEngine(info);
  if (info === null) return [engine];
  const compose = info === 'silent' ? [] : [judgeCompose(info, facts)];
  const works = engine.severity === 'ok' && info !== 'silent';
  return [engine, ...compose, ...(works ? [judgeDockerLogs(facts), judgeStorage(info)] : [])];
}

function judgeEngine(info: DockerFacts['info']): Finding {
  const check = 'docker';
  const why = 'Nothing can be started, updated or mended';
  if (info === null) {
    return problem(check, 'Docker is not installed', {
      why,
      command: 'apt-get install docker.io docker-cli || apt-get install docker.io',
    });
  }
  if (info === 'silent') {
    return problem(check, 'The Docker engine does not answer in time', {
      why,
      remedy: 'It hangs, or the card is very slow; `journalctl -u docker` says more',
      command: 'systemctl restart docker',
    });
  }
  const [error] = info.ServerErrors ?? [];
  if (error !== undefined && /permission denied/i.test(error))
    return unknown(check, 'This user may not talk to Docker');
  if (error !== undefined || !info.ServerVersion) {
    return problem(check, 'The Docker engine does not answer', {
      why,
      remedy: 'Where it does not come up, `journalctl -u docker` says why',
      command: 'systemctl enable --now docker.service',
    });
  }
  return ok(check, `Docker ${info.ServerVersion} answers`);
}

function judgeCompose(info: Info, { composeScript, suite }: DockerFacts): Finding {
  const check = 'compose';
  const plugin = info.ClientInfo?.Plugins?.find(({ Name }) => Name === 'compose')?.Version?.replace(/^v/, '');
  const [major = 0, minor = 0] = (plugin ?? '').split('.').map((part) => Number.parseInt(part, 10));
  const [oldestMajor, oldestMinor] = OLDEST_COMPOSE;
  if (plugin !== undefined && (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)))
    return ok(check, `Compose ${plugin}`);
  const old = composeScript === null ? '' : `, only the old docker-compose ${composeScript}`;
  const seen =
    plugin === undefined ? `Docker has no \`compose\` command${old}` : `Compose ${plugin} is too old`;
  return problem(check, seen, {
    why: `The agent needs Compose ${OLDEST_COMPOSE.join('.')} or newer: without it no release can be validated or started`,
    ...(suite === 'bookworm' || suite === 'bullseye'
      ? {
          remedy: `Debian ${suite} packages version 1 only: add Docker’s repository first (https://docs.docker.com/engine/install/debian/)`,
          command: 'apt-get update && apt-get install docker-compose-plugin',
        }
      : { command: 'apt-get update && apt-get install docker-compose' }),
  });
}

function judgeStorage({ Driver: driver }: Info): Finding {
  const check = 'docker-storage';
  if (driver === undefined) return unknown(check, 'Docker does not name its storage driver');
  if (/^(overlay2|overlayfs|btrfs|zfs)$/.test(driver)) return ok(check, `Storage driver ${driver}`);
  return warning(check, `Docker stores images with the driver ${driver}`, {
    why:
      driver === 'vfs'
        ? 'It copies every layer whole: an image takes its size once for each of its layers'
        : 'It is slow or no longer maintained, and later versions of Docker refuse it',
    remedy: `Have ${WHERE} on ext4, and take "storage-driver" out of /etc/docker/daemon.json: overlay2 is the default there. Images are pulled again`,
  });
}

export const DOCKER = topic('docker', gatherDocker, judgeDocker);
