/** What a file of a role is: its bytes, or where its symlink points. */
export type RoleEntry = Uint8Array | { readonly link: string };

/** A role as it is in its folder. */
export interface RoleFiles {
  /** Name of the folder. */
  readonly role: string;
  /** By path relative to the folder, with `/`, without a leading `./`; folders are not listed. */
  readonly files: ReadonlyMap<string, RoleEntry>;
}

type Files = RoleFiles['files'];

/** Larger files are data, not configuration. Bytes. */
const TEXT_LIMIT = 256 * 1024;

/** The text of a file; null where there is none, where it is a symlink, binary, or larger than 256 KiB. */
export function textOf(files: Files, path: string): string | null {
  const entry = files.get(path);
  if (entry === undefined || 'link' in entry || entry.byteLength > TEXT_LIMIT) return null;
  if (entry.includes(0)) return null;
  return new TextDecoder().decode(entry);
}

/** Every file of the role that is text, with its text. */
export function* textFiles(files: Files): Generator<readonly [path: string, text: string]> {
  for (const path of files.keys()) {
    const text = textOf(files, path);
    if (text !== null) yield [path, text];
  }
}

/** True for a file, a symlink or a folder of the role, also where symlinks of the role lead to it; `.` is the role. */
export function exists(files: Files, path: string): boolean {
  const real = followed(files, path);
  if (real === null) return false;
  if (real === '.' || files.has(real)) return true;
  for (const file of files.keys()) if (file.startsWith(`${real}/`)) return true;
  return false;
}

/**
 * A path as seen from a folder of the role, made normal: `site/../web` is `web`, the role itself is `.`. Null when it
 * leaves the role.
 */
export function insideRole(path: string, from = ''): string | null {
  const parts: string[] = [];
  for (const part of `${from}/${path}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.length === 0 ? '.' : parts.join('/');
}

/** Resolves symlinks on the way, a bounded number of them; null when they lead out or in a circle. */
function followed(files: Files, path: string): string | null {
  let here = path;
  for (let hops = 0; hops < 40; hops += 1) {
    const step = firstLink(files, here);
    if (step === null) return here;
    const next = insideRole(`${step.target}/${step.rest}`, step.folder);
    if (step.target.startsWith('/') || next === null) return null;
    here = next;
  }
  return null;
}

function firstLink(files: Files, path: string): { target: string; folder: string; rest: string } | null {
  const parts = path.split('/');
  for (let length = 1; length <= parts.length; length += 1) {
    const entry = files.get(parts.slice(0, length).join('/'));
    if (entry === undefined || !('link' in entry)) continue;
    const folder = parts.slice(0, length - 1).join('/');
    return { target: entry.link, folder, rest: parts.slice(length).join('/') };
  }
  return null;
}
