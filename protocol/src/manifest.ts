import { Array as List, Integer, Literal, Object as Obj, String as Str, Union, type Static } from 'typebox';
import { canonicalJson, digestOf } from './digest.ts';
import { DigestSchema, type Digest } from './names.ts';
import { FleetError } from './errors.ts';
import { RoleNameSchema } from './names.ts';
import { parse } from './parse.ts';
import { refuseNewer } from './version.ts';

/** Limits on what one release may hold. They stop a bad push from filling a card; they are far above any honest role. */
export const RELEASE_LIMITS = { files: 5_000, bytes: 256 * 1024 * 1024, path: 255 } as const;

const FileEntry = Obj({
  path: Str(),
  mode: Union([Literal('0644'), Literal('0755')]),
  size: Integer({ minimum: 0, maximum: RELEASE_LIMITS.bytes }),
  sha256: DigestSchema,
});
const LinkEntry = Obj({ path: Str(), link: Str({ minLength: 1, maxLength: RELEASE_LIMITS.path }) });

/**
 * Every file of a release, sorted by path. Modes are Git's two (executable or not), so that a checkout, a bundle and
 * a USB stick give the same digest whatever the umask.
 */
export const ManifestSchema = Obj({
  schemaVersion: Literal(1),
  role: RoleNameSchema,
  entries: List(Union([FileEntry, LinkEntry]), { minItems: 1, maxItems: RELEASE_LIMITS.files }),
});
export type Manifest = Static<typeof ManifestSchema>;
export type ManifestEntry = Manifest['entries'][number];
export type ManifestFile = Static<typeof FileEntry>;

/** True for an entry that is a regular file. */
export function isFile(entry: ManifestEntry): entry is ManifestFile {
  return 'sha256' in entry;
}

/** Builds a manifest from entries in any order; throws where a path or a link leaves the tree, or a limit is passed. */
export function manifestOf(role: string, entries: readonly ManifestEntry[]): Manifest {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
  return checkManifest({ schemaVersion: 1, role, entries: sorted }, `roles/${role}`);
}

/** The content digest of a release: the digest of its manifest. Two commits with the same content have the same one. */
export function contentDigest(manifest: Manifest): Digest {
  return digestOf(canonicalJson(manifest));
}

/** Parses a manifest from outside, with the rules that a schema cannot say. `where` names it in errors. */
export function parseManifest(value: unknown, where: string): Manifest {
  refuseNewer(value, where);
  return checkManifest(parse(ManifestSchema, value, { where, code: 'bundle-invalid' }), where);
}

function checkManifest(manifest: Manifest, where: string): Manifest {
  if (manifest.entries.length > RELEASE_LIMITS.files)
    throw tooLarge(`more than ${RELEASE_LIMITS.files} files`, where);
  let bytes = 0;
  let before = '';
  const links = new Set(manifest.entries.filter((entry) => !isFile(entry)).map((entry) => entry.path));
  for (const entry of manifest.entries) {
    checkPath(entry.path, where);
    if (entry.path <= before) throw invalid(`${entry.path} is listed twice or out of order`, where);
    if (parentsOf(entry.path).some((parent) => links.has(parent)))
      throw escapes(`${entry.path} lies behind a symlink`, where);
    if (entry.path.startsWith(`${before}/`) && before !== '' && !links.has(before)) {
      throw invalid(`${before} is both a file and a folder`, where);
    }
    if (isFile(entry)) bytes += entry.size;
    else checkLink(entry.path, entry.link, where);
    before = entry.path;
  }
  if (bytes > RELEASE_LIMITS.bytes) throw tooLarge(`${bytes} bytes`, where);
  return manifest;
}

/** Throws unless a path is relative, normal, and stays in the tree on every file system. */
export function checkPath(path: string, where: string): void {
  const parts = path.split('/');
  const clean = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is refused
  if (!clean || path.length > RELEASE_LIMITS.path || /[\u0000-\u001f\\]/.test(path)) {
    throw escapes(`${JSON.stringify(path)} is not a path inside the role`, where);
  }
}

/** Throws unless the target of a symlink, seen from where the link stands, stays in the tree. */
export function checkLink(path: string, target: string, where: string): void {
  let depth = path.split('/').length - 1;
  const inside = target
    .split('/')
    .every((part) => (depth += part === '..' ? -1 : part === '.' || part === '' ? 0 : 1) >= 0);
  if (target.startsWith('/') || !inside) {
    throw escapes(`The symlink ${path} points out of the role, to ${target}`, where);
  }
}

function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function escapes(what: string, where: string): FleetError {
  return new FleetError({
    code: 'path-escapes',
    what,
    where,
    remedy: 'A role must be self-contained: copy what it needs into its folder.',
  });
}

function invalid(what: string, where: string): FleetError {
  return new FleetError({ code: 'bundle-invalid', what, where });
}

function tooLarge(size: string, where: string): FleetError {
  return new FleetError({
    code: 'bundle-too-large',
    what: `The role holds ${size}; the limit is ${RELEASE_LIMITS.bytes / 1024 / 1024} MiB in ${RELEASE_LIMITS.files} files`,
    where,
    remedy: 'Put large data into an image or fetch it at run time; a role is configuration.',
  });
}
