import {
  canonicalJson,
  DeviceFileSchema,
  FleetError,
  parseYaml,
  SiteFileSchema,
  type VariableLayer,
} from '@metrica-fleet/protocol';
import type { Config } from '../../config.ts';
import type { Git } from './command.ts';
import { listTree, readBlobs } from './objects.ts';

/** A device or site file is a page of YAML. Bytes. */
const FILE_LIMIT = 1024 * 1024;

/** What the fleet repo says about one device at one commit. */
export interface Assignment {
  readonly role: string;
  /** Git's id of `roles/<role>`: the same id is the same content. */
  readonly tree: string;
  /** Weakest first: config.yaml, site, device. Layers without values are left out. */
  readonly layers: readonly VariableLayer[];
}

/**
 * Reads `devices/<device>.yaml` and `sites/<site>.yaml` at a commit. A device file may be absent, then config.yaml
 * decides; a site that is named must exist, since a typo would silently take its values away.
 * Throws `variables-invalid` with file and line, and `role-not-found`.
 */
export async function readAssignment(git: Git, commit: string, config: Config): Promise<Assignment> {
  const devicePath = `devices/${config.device}.yaml`;
  const deviceText = await readText(git, commit, devicePath);
  const deviceFile =
    deviceText === null
      ? {}
      : parseYaml(deviceText, { where: devicePath, schema: DeviceFileSchema, code: 'variables-invalid' })
          .value;
  const role = deviceFile.role ?? config.role;
  if (role === null) throw noRole(devicePath, config);
  const site = deviceFile.site ?? config.site;
  const layers = [
    configLayer(config),
    ...(site === null
      ? []
      : [await siteLayer({ git, commit, site, namedIn: deviceFile.site ? devicePath : 'config.yaml' })]),
    { from: devicePath, values: deviceFile.vars ?? {} },
  ];
  return {
    role,
    tree: await treeOf(git, commit, role),
    layers: layers.filter(({ values }) => Object.keys(values).length > 0),
  };
}

/** The weakest layer: `vars` of config.yaml. */
export function configLayer({ vars }: Pick<Config, 'vars'>): VariableLayer {
  return { from: 'config.yaml', values: vars };
}

/** Whether two lists of layers give the same values from the same places. */
export function sameLayers(a: readonly VariableLayer[], b: readonly VariableLayer[]): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

interface SiteQuestion {
  readonly git: Git;
  readonly commit: string;
  readonly site: string;
  readonly namedIn: string;
}

async function siteLayer({ git, commit, site, namedIn }: SiteQuestion): Promise<VariableLayer> {
  const path = `sites/${site}.yaml`;
  const text = await readText(git, commit, path);
  if (text === null) {
    throw new FleetError({
      code: 'variables-invalid',
      what: `The site ${site} has no file ${path} at commit ${commit.slice(0, 12)}`,
      where: namedIn,
      remedy: 'Add the file (it may be empty), or correct the name of the site.',
    });
  }
  const { value } = parseYaml(text, { where: path, schema: SiteFileSchema, code: 'variables-invalid' });
  return { from: path, values: value.vars ?? {} };
}

async function readText(git: Git, commit: string, path: string): Promise<string | null> {
  const [content] = await readBlobs(git, [`${commit}:${path}`], FILE_LIMIT);
  return content?.toString('utf8') ?? null;
}

async function treeOf(git: Git, commit: string, role: string): Promise<string> {
  const [entry] = await listTree(git, commit, `roles/${role}`);
  if (entry?.mode === '040000') return entry.id;
  const roles = (await listTree(git, commit, 'roles/'))
    .filter(({ mode }) => mode === '040000')
    .map(({ path }) => path.slice('roles/'.length));
  throw new FleetError({
    code: 'role-not-found',
    what: `There is no role ${role} at commit ${commit.slice(0, 12)}`,
    where: `roles/${role}`,
    remedy:
      roles.length === 0
        ? 'The repo has no folder roles/ with a role in it.'
        : `The roles there: ${roles.slice(0, 30).join(', ')}.`,
  });
}

function noRole(devicePath: string, { device }: Config): FleetError {
  return new FleetError({
    code: 'role-not-found',
    what: `Nothing says which role ${device} has`,
    where: devicePath,
    remedy: `Put \`role:\` into ${devicePath} of the fleet repo, or into config.yaml on the device.`,
  });
}
