import { FleetError, type Variables } from '@metrica-fleet/protocol';
import { interpolated } from '@metrica-fleet/protocol/lint';
import type { ComposeModel, ComposeService, Disk } from '@metrica-fleet/agent';
import { join } from 'node:path/posix';
import { parse } from 'yaml';
import { environmentOf, mapOf, mountOf, portOf, wordsOf } from './long-syntax.ts';

type Section = Readonly<Record<string, unknown>>;

/** In Compose's order of preference. */
const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];
/** What takes a second file or a choice; none of the roles that are simulated has needed it yet. */
const UNKNOWN = ['include', 'extends', 'profiles'] as const;

/**
 * What `docker compose config --format json` prints for the Compose file of a folder, as far as the agent looks at it:
 * variables replaced, paths absolute, long syntax. Throws `compose-invalid`.
 */
export async function resolveCompose(
  disk: Disk,
  { project, folder, variables }: { project: string; folder: string; variables: Variables },
): Promise<ComposeModel> {
  const { name, text } = await fileIn(disk, folder);
  const document = sectionOf(replaced(parsed(text, name), variables));
  refuseUnknown(document, name);
  const services: Record<string, ComposeService> = {};
  for (const [service, definition] of Object.entries(sectionOf(document['services']))) {
    refuseUnknown(sectionOf(definition), name);
    services[service] = await resolveService(disk, folder, sectionOf(definition));
  }
  const usesDefault = Object.values(services).some(({ networks }) => 'default' in sectionOf(networks));
  const networks = { ...(usesDefault ? { default: null } : {}), ...sectionOf(document['networks']) };
  return {
    name: project,
    services,
    networks: named(networks, project),
    volumes: named(sectionOf(document['volumes']), project),
    configs: filesOf(document['configs'], folder),
    secrets: filesOf(document['secrets'], folder),
  };
}

async function fileIn(disk: Disk, folder: string): Promise<{ name: string; text: string }> {
  for (const name of NAMES) {
    const text = await disk.readText(join(folder, name));
    if (text !== null) return { name, text };
  }
  throw invalid('The role has no Compose file', 'compose.yaml');
}

function parsed(text: string, where: string): unknown {
  try {
    return parse(text, { merge: true });
  } catch (thrown) {
    throw invalid(`Compose refuses the file: ${thrown instanceof Error ? thrown.message : 'no YAML'}`, where);
  }
}

/** Variables in every value; keys are left alone, as Compose does. */
function replaced(value: unknown, variables: Variables): unknown {
  if (Array.isArray(value)) return value.map((item) => replaced(item, variables));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaced(inner, variables)]));
  }
  if (typeof value !== 'string') return value;
  // One that is not set and has no default is empty for Compose, which warns.
  return (
    interpolated(value, (name) => variables[name]) ??
    interpolated(value, (name) => variables[name] ?? '') ??
    ''
  );
}

async function resolveService(disk: Disk, folder: string, service: Section): Promise<ComposeService> {
  const { command, entrypoint, env_file: _files, healthcheck } = service;
  const { ports = [], volumes = [], depends_on: needs = {}, configs = [], secrets = [] } = service;
  const hasNetwork = service['network_mode'] === undefined;
  return {
    ...without(service, 'env_file'),
    command: command === undefined ? null : wordsOf(command),
    entrypoint: entrypoint === undefined ? null : wordsOf(entrypoint),
    environment: {
      ...(await fileVariables(disk, folder, service)),
      ...environmentOf(service['environment']),
    },
    labels: environmentOf(service['labels']) as Record<string, string>,
    ports: listOf(ports).map(portOf),
    volumes: listOf(volumes).map((volume) => mountOf(volume, folder)),
    depends_on: Object.fromEntries(
      Object.entries(mapOf(needs)).map(([name, how]) => [
        name,
        { condition: 'service_started', required: true, ...how },
      ]),
    ),
    configs: listOf(configs).map(sourceOf),
    secrets: listOf(secrets).map(sourceOf),
    ...(hasNetwork ? { networks: mapOf(service['networks'] ?? ['default']) } : {}),
    ...(healthcheck === undefined ? {} : { healthcheck: checkOf(sectionOf(healthcheck)) }),
  };
}

async function fileVariables(
  disk: Disk,
  folder: string,
  service: Section,
): Promise<Record<string, string | null>> {
  const found: Record<string, string | null> = {};
  const files = service['env_file'];
  for (const file of files === undefined ? [] : [files].flat()) {
    const { path, required = true } = typeof file === 'string' ? { path: file } : (file as EnvironmentFile);
    const text = await disk.readText(join(folder, path));
    if (text === null && required) throw invalid(`There is no env_file ${path}`, path);
    Object.assign(found, environmentOf((text ?? '').split('\n').filter((line) => /^\s*\w+=/.test(line))));
  }
  return found;
}

interface EnvironmentFile {
  readonly path: string;
  readonly required?: boolean;
}

function checkOf(check: Section): { test?: readonly string[]; disable?: boolean } {
  const { test } = check;
  return { ...check, ...(typeof test === 'string' ? { test: ['CMD-SHELL', test] } : {}) };
}

function sourceOf(used: unknown): object {
  return typeof used === 'string' ? { source: used } : sectionOf(used);
}

/** Networks and volumes get the project's name in front of theirs, if they are not somebody else's. */
function named(section: Section, project: string): Section {
  return Object.fromEntries(
    Object.entries(section).map(([name, definition]) => [
      name,
      { name: `${project}_${name}`, ...sectionOf(definition) },
    ]),
  );
}

function filesOf(section: unknown, folder: string): Section {
  return Object.fromEntries(
    Object.entries(sectionOf(section)).map(([name, definition]) => {
      const { file, ...rest } = sectionOf(definition);
      if (typeof file !== 'string') return [name, rest];
      return [name, { ...rest, file: file.startsWith('/') ? file : join(folder, file) }];
    }),
  );
}

function refuseUnknown(section: Section, where: string): void {
  const found = UNKNOWN.find((key) => key in section);
  if (found !== undefined) throw invalid(`The simulated Compose does not know \`${found}\``, where);
}

function sectionOf(value: unknown): Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Section) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function without(section: Section, ...keys: readonly string[]): Section {
  return Object.fromEntries(Object.entries(section).filter(([key]) => !keys.includes(key)));
}

function invalid(what: string, where: string): FleetError {
  return new FleetError({ code: 'compose-invalid', what, where });
}
