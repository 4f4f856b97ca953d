import type { Stack } from './compose-file.ts';
import { textFiles } from './files.ts';
import { finding, type Finding } from './finding.ts';
import { referencesIn } from './interpolation.ts';
import type { Subject } from './subject.ts';
import { at, entriesOf } from './walk.ts';

/** Shapes that nothing but a credential has, each as its issuer documents it. */
const CREDENTIALS: readonly (readonly [what: string, shape: RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/],
  ['an AWS access key', /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])/],
  ['a GitHub token', /(?<![A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{60,255})/],
  ['a GitLab token', /(?<![A-Za-z0-9_-])glpat-[A-Za-z0-9_-]{20,}/],
  ['a Slack token', /(?<![A-Za-z0-9])xox[abeoprs]-[0-9A-Za-z-]{10,}/],
  ['a Slack webhook', /https:\/\/hooks\.slack\.com\/services\/T\w+\/B\w+\/\w{20,}/],
  ['a Tailscale key', /(?<![A-Za-z0-9])tskey-[a-z]+-\w{8,}/],
  ['a Google API key', /(?<![A-Za-z0-9_-])AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])/],
];

const PASSWORD_NAME =
  /(^|_)(PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|ACCESS_KEY|CREDENTIALS?)$/i;
const ROTATE =
  'Take it out, replace it where it is used (it is in the history of the repo now), and declare it under `secrets:` in role.yaml.';

/** Credentials that are in the repo, and pointers to files that are not. */
export function secretFindings({ files, stacks }: Subject): Finding[] {
  const inFiles = [...textFiles(files)].flatMap(([path, text]) => [
    ...credentials(path, text),
    ...pointer(path, text),
  ]);
  return [...inFiles, ...stacks.flatMap((stack) => passwords(stack))];
}

function credentials(file: string, text: string): Finding[] {
  return CREDENTIALS.flatMap(([kind, shape]) => {
    const found = shape.exec(text);
    if (found === null) return [];
    const line = text.slice(0, found.index).split('\n').length;
    return [finding('committed-secret', { file, line, what: `This looks like ${kind}`, remedy: ROTATE })];
  });
}

/** https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: the version line comes first, pointers are under 1024 bytes. */
function pointer(file: string, text: string): Finding[] {
  if (text.length > 1024 || !/^version https:\/\/(git-lfs\.github|hawser\.github)\.com\/spec\//.test(text))
    return [];
  const what = 'This is a Git LFS pointer; devices would get it instead of the file';
  const remedy = 'Commit the file itself, or put large data into an image.';
  return [finding('lfs-pointer', { file, line: 1, what, remedy })];
}

function passwords({ file, services }: Stack): Finding[] {
  return [...services].flatMap(([service, settings]) =>
    entriesOf(at(settings, 'environment')).flatMap(({ name, value, line }) => {
      if (!PASSWORD_NAME.test(name) || value === null || !isLiteral(value)) return [];
      const what = `${name} of ${service} is written into the compose file`;
      const remedy = `Declare it under \`secrets:\` in role.yaml, and let the service read the file (often \`${name}_FILE\`).`;
      return [finding('literal-password', { file, line, what, remedy })];
    }),
  );
}

/** Neither empty, nor a switch, nor a path to a file, nor a variable. */
function isLiteral(value: string): boolean {
  const plain = value.trim();
  return (
    plain !== '' && !/^(true|false|yes|no|none|null|\/.*)$/i.test(plain) && referencesIn(plain).length === 0
  );
}
