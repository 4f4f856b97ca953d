import { InvalidArgumentError } from 'commander';
import { resolve } from 'node:path';
import type { Shell } from '../program.ts';
import { roleAtCommit } from '../roles/role-at-commit.ts';
import { signRelease } from '../statements/sign.ts';
import { fetchStatements, pushStatements } from '../statements/statements-ref.ts';

interface SignOptions {
  readonly role: string;
  readonly key: string;
  readonly repo: string;
  readonly commit: string;
  readonly counter?: number;
  readonly push?: string;
}

/** `fleet release`: what concerns one role at one commit. */
export function addRelease({ program, terminal }: Shell): void {
  const release = program.command('release').description('Releases: one role at one commit');
  release
    .command('sign')
    .description('Sign a release statement, so that devices with allowed_signers take the release')
    .requiredOption('--role <role>', 'role to sign')
    .requiredOption(
      '--key <file>',
      'private key file for ssh-keygen -Y sign (or a public one, with ssh-agent)',
    )
    .option('--repo <path>', 'fleet repo', '.')
    .option('--commit <commit>', 'commit, branch or tag', 'HEAD')
    .option('--counter <n>', 'counter of the statement (default: the last one of the role + 1)', wholeNumber)
    .option('--push <remote>', 'push the statement there')
    .addHelpText('after', '\nSign before you push the branch, or devices wait for the statement.')
    .action(async (options: SignOptions) => terminal.out(await sign(options, terminal.cwd)));
}

async function sign({ role, commit, counter, push, ...paths }: SignOptions, cwd: string): Promise<string> {
  const repo = resolve(cwd, paths.repo);
  const key = resolve(cwd, paths.key);
  if (push !== undefined) await fetchStatements(repo, push);
  const found = await roleAtCommit({ repo, role, commit });
  const { statement } = await signRelease({
    repo,
    role: found,
    key,
    ...(counter === undefined ? {} : { counter }),
  });
  if (push !== undefined) await pushStatements(repo, push);
  const { commit: id, digest, counter: given } = statement;
  const pushed = push === undefined ? '' : `, pushed to ${push}`;
  return `Signed ${role} at ${id.slice(0, 12)}: content ${digest.slice(0, 12)}, counter ${given}${pushed}\n`;
}

/** Parses a counter from the command line. */
function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.');
  return Number(text);
}
