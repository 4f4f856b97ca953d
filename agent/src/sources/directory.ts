import { contentDigest, digestOf, FleetError, unpackBundle, type Statement } from '@metrica-fleet/protocol';
import { join } from 'node:path';
import type { Config, DirectoryConfig } from '../config.ts';
import { configLayer } from './git/fleet-files.ts';
import type { Desired, Fetched, SteadySource } from './source.ts';
import type { SourceContext } from './sources.ts';
import { requireSpace } from './space.ts';
import { verifyStatement } from './verify-statement.ts';

/** Names inside `<path>/<role>/`, as `fleet bundle export` writes them. */
const FILES = {
  statement: 'statement.json',
  signature: 'statement.json.sig',
  bundle: 'bundle.tar.gz',
} as const;

interface DirectoryContext extends SourceContext {
  readonly directory: DirectoryConfig;
  readonly config: Config;
  readonly name: string;
}

/**
 * A folder with signed bundles, such as a USB stick. What it says counts only with a signature, so the statement is
 * verified before it becomes what is wanted: a forged one cannot even put a release into quarantine. Values of
 * variables never come from here, since nobody signed them: the ones known last hold.
 */
export function directorySource(
  directory: DirectoryConfig,
  config: Config,
  context: SourceContext,
): SteadySource {
  const name = `directory ${directory.path}`;
  const all: DirectoryContext = { ...context, directory, config, name };
  return {
    name,
    needsStatement: true,
    carrier: true,
    desired: (last) => desired(all, last),
    fetch: (wanted, folder) => fetch(all, wanted, folder),
  };
}

async function desired(context: DirectoryContext, last: Desired | null): Promise<Desired> {
  const { config, name } = context;
  const role = last?.role ?? config.role;
  if (role === null) {
    throw new FleetError({
      code: 'role-not-found',
      what: `Nothing says which role ${config.device} has`,
      where: name,
      remedy: 'Put `role:` into config.yaml on the device.',
    });
  }
  const signed = await readSigned(context, role);
  const position = digestOf(`${signed.text}${signed.signature}`);
  if (last !== null && last.source === name && last.position === position) return last;
  const { commit, digest, counter } = await verify(context, role, signed);
  return {
    schemaVersion: 1,
    role,
    commit,
    digest,
    source: name,
    position,
    tree: digest,
    counter,
    layers: last?.layers ?? [configLayer(config)].filter(({ values }) => Object.keys(values).length > 0),
  };
}

async function fetch(context: DirectoryContext, wanted: Desired, folder: string): Promise<Fetched> {
  const { disk } = context.ports;
  const signed = await readSigned(context, wanted.role);
  const { digest } = await verify(context, wanted.role, signed);
  const bundle = join(context.directory.path, wanted.role, FILES.bundle);
  if ((await disk.stat(bundle))?.kind !== 'file') throw absent(bundle);
  await unpackBundle({
    from: disk.stream(bundle),
    where: bundle,
    async onManifest(manifest) {
      if (contentDigest(manifest) !== digest || manifest.role !== wanted.role) throw otherContent(bundle);
      const bytes = manifest.entries.reduce((sum, entry) => sum + ('size' in entry ? entry.size : 0), 0);
      await requireSpace(disk, folder, { bytes, files: manifest.entries.length });
    },
    onFile: ({ path, mode }, content) =>
      disk.write('stage.bundle.file', join(folder, path), { content, mode: Number.parseInt(mode, 8) }),
    onLink: (path, target) => disk.link('stage.bundle.link', join(folder, path), target),
  });
  return { statement: signed };
}

async function readSigned({ ports, directory }: DirectoryContext, role: string): Promise<SignedText> {
  const folder = join(directory.path, role);
  const [text, signature] = [
    await ports.disk.readText(join(folder, FILES.statement)),
    await ports.disk.readText(join(folder, FILES.signature)),
  ];
  if (text === null) throw absent(join(folder, FILES.statement));
  if (signature === null) throw absent(join(folder, FILES.signature));
  return { text, signature };
}

type SignedText = NonNullable<Fetched['statement']>;

async function verify(context: DirectoryContext, role: string, signed: SignedText): Promise<Statement> {
  const where = join(context.directory.path, role, FILES.statement);
  const statement = await verifyStatement(context, {
    statement: signed,
    signers: context.config.allowedSigners,
    where,
  });
  if (statement.role === role) return statement;
  throw new FleetError({
    code: 'statement-invalid',
    what: `The statement is about the role ${statement.role}, not ${role}`,
    where,
    remedy: 'Export the bundle again with `fleet bundle export`.',
  });
}

function absent(where: string): FleetError {
  return new FleetError({
    code: 'source-unreachable',
    what: 'There is no bundle here',
    where,
    remedy: 'Plug in and mount the stick; fill it with `fleet bundle export --out`.',
  });
}

function otherContent(where: string): FleetError {
  return new FleetError({
    code: 'manifest-mismatch',
    what: 'The bundle is not the one that its statement is about',
    where,
    remedy: 'Export the bundle again with `fleet bundle export`; statement and bundle belong together.',
  });
}
