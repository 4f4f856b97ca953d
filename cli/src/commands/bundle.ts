import { FleetError } from '@metrica-fleet/protocol';
import { access, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Shell } from '../program.ts';
import { roleAtCommit } from '../roles/role-at-commit.ts';
import { verifyBundleFolder, writeBundleFolder } from '../statements/bundle-folder.ts';
import { signRelease } from '../statements/sign.ts';

interface ExportOptions {
  readonly role: string;
  readonly repo: string;
  readonly commit: string;
  readonly key: string;
  readonly out: string;
}

/** `fleet bundle`: releases as files, for USB sticks. */
export function addBundle({ program, terminal }: Shell): void {
  const bundle = program
    .command('bundle')
    .description('Releases as signed files, for devices without a network');
  bundle
    .command('export')
    .description('Write a signed bundle of a role to a folder, such as a USB stick')
    .requiredOption('--role <role>', 'role to export')
    .requiredOption(
      '--key <file>',
      'private key file for ssh-keygen -Y sign (or a public one, with ssh-agent)',
    )
    .requiredOption('--out <folder>', 'folder; the bundle lands in <folder>/<role>/')
    .option('--repo <path>', 'fleet repo', '.')
    .option('--commit <commit>', 'commit, branch or tag', 'HEAD')
    .action(async (options: ExportOptions) => terminal.out(await exportBundle(options, terminal.cwd)));
  bundle
    .command('verify')
    .description('Check the bundles in a folder as a device would')
    .argument('<folder>', 'folder that was given to export, or one role in it')
    .requiredOption('--signers <file>', 'allowed_signers file')
    .action(async (folder: string, { signers }: { readonly signers: string }) => {
      for (const one of await bundleFolders(resolve(terminal.cwd, folder)))
        terminal.out(await verifyOne(one, resolve(terminal.cwd, signers)));
    });
}

async function exportBundle({ role, commit, ...paths }: ExportOptions, cwd: string): Promise<string> {
  const repo = resolve(cwd, paths.repo);
  const found = await roleAtCommit({ repo, role, commit });
  const signed = await signRelease({ repo, role: found, key: resolve(cwd, paths.key) });
  const folder = await writeBundleFolder(resolve(cwd, paths.out), found, signed);
  const { digest, counter } = signed.statement;
  return `Wrote ${folder}: ${role} at ${found.commit.slice(0, 12)}, content ${digest.slice(0, 12)}, counter ${counter}\n`;
}

async function verifyOne(folder: string, signers: string): Promise<string> {
  const { role, commit, digest, counter } = await verifyBundleFolder(folder, signers);
  return `${folder}: good; ${role} at ${commit.slice(0, 12)}, content ${digest.slice(0, 12)}, counter ${counter}\n`;
}

async function bundleFolders(folder: string): Promise<readonly string[]> {
  if (await holdsBundle(folder)) return [folder];
  const inside = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of inside) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && (await holdsBundle(path))) found.push(path);
  }
  if (found.length > 0) return found;
  throw new FleetError({
    code: 'input-invalid',
    what: 'There is no bundle',
    where: folder,
    remedy: 'Name the folder that `fleet bundle export --out` wrote to.',
  });
}

async function holdsBundle(folder: string): Promise<boolean> {
  return await access(join(folder, 'statement.json')).then(
    () => true,
    () => false,
  );
}
