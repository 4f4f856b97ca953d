import { build, type Metafile } from 'esbuild';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** The agent's folder, found from the compiled file as well as from the source. */
export const AGENT = folderOf('@metrica-fleet/agent', import.meta.dirname);
const REPO = dirname(AGENT);

export interface BundleOptions {
  /** Default: `agent/src/main.ts`. */
  readonly entry?: string;
  /** Default: `agent/dist/bundle/role-agent.cjs`. */
  readonly outFile?: string;
}

export interface Bundle {
  readonly path: string;
  readonly bytes: number;
  /** Packages of others that are in it, sorted by name, with the text of their licence. */
  readonly thirdParty: readonly ThirdParty[];
}

export interface ThirdParty {
  readonly name: string;
  readonly version: string;
  /** SPDX expression as its package.json has it. */
  readonly license: string;
  readonly text: string;
}

/** Version of the agent, from its package.json. */
export function agentVersion(): string {
  return packageOf(AGENT).version;
}

/** When this version was made, ISO 8601 UTC: the date of the newest entry of the changelog, so that a build can be repeated. */
function builtAt(): string {
  const changelog = readFileSync(join(AGENT, 'debian/changelog'), 'utf8');
  const date = /^ -- .+ {2}(.+)$/m.exec(changelog)?.[1] ?? '';
  return `${new Date(date).toISOString().slice(0, 19)}Z`;
}

/**
 * Puts the agent and everything that it imports into one file that Node 18 runs: a device starts it without a
 * `node_modules`. Not minified, so that a stack trace from the field can be read. `VERSION` and `BUILT` become constants in it.
 * The same source gives the same bytes in any folder.
 */
export async function bundleAgent(options: BundleOptions = {}): Promise<Bundle> {
  const path = options.outFile ?? join(AGENT, 'dist/bundle/role-agent.cjs');
  const { metafile } = await build({
    absWorkingDir: REPO,
    entryPoints: [options.entry ?? join(AGENT, 'src/main.ts')],
    outfile: path,
    bundle: true,
    platform: 'node',
    target: 'node18',
    format: 'cjs',
    // The packages of this repository straight from their TypeScript, so that a stale dist/ cannot slip in.
    conditions: ['source'],
    legalComments: 'eof',
    define: { VERSION: JSON.stringify(agentVersion()), BUILT: JSON.stringify(builtAt()) },
    metafile: true,
    logLevel: 'warning',
  });
  return { path, bytes: (await stat(path)).size, thirdParty: await thirdPartyIn(metafile) };
}

async function thirdPartyIn(metafile: Metafile): Promise<ThirdParty[]> {
  const folders = new Set<string>();
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match?.[1] !== undefined) folders.add(join(REPO, match[1]));
  }
  const packages = await Promise.all([...folders].map(licenceOf));
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function licenceOf(folder: string): Promise<ThirdParty> {
  const { name, version, license } = packageOf(folder);
  const file = (await readdir(folder)).sort().find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  if (file === undefined)
    throw new Error(`${relative(REPO, folder)} has no licence file; the package may not ship it`);
  return { name, version, license, text: await readFile(join(folder, file), 'utf8') };
}

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

function packageOf(folder: string): PackageJson {
  const json: PackageJson = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return json;
}

function folderOf(name: string, from: string): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && packageOf(folder).name === name) return folder;
  }
  throw new Error(`No package ${name} above ${from}`);
}

if (process.argv[1] === import.meta.filename) {
  const { path, bytes } = await bundleAgent();
  process.stdout.write(`${relative(process.cwd(), path)}: ${(bytes / 1024).toFixed(0)} KiB\n`);
}
