import { access, constants, mkdir, realpath } from 'node:fs/promises';
import { DatabaseError } from '../database-error.ts';

/** Makes the data folder if needed, and gives its true path. Throws `data-folder-unusable` or `no-space`. */
export async function openFolder(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return await realpath(path);
  } catch (error) {
    throw fileTrouble(error, path);
  }
}

/** What went wrong with a file or folder, in words for who runs the overlord. What is known already stays as it is. */
export function fileTrouble(error: unknown, where: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const known = TROUBLES[code ?? ''];
  if (error instanceof DatabaseError || known === undefined) return error;
  const [kind, what, remedy] = known;
  return new DatabaseError({ code: kind, what, where, remedy }, { cause: error });
}

/** What programs print (strerror(3)) when the disk is full. */
const FULL = /No space left on device|Disk quota exceeded/;

/** The code for a failure of which only the text is known. */
export function codeOf(text: string): 'no-space' | 'start-failed' {
  return FULL.test(text) ? 'no-space' : 'start-failed';
}

const NOT_WRITABLE = 'Give the folder to the user that runs the overlord, or name another one.';
const TROUBLES: Readonly<
  Record<string, readonly ['data-folder-unusable' | 'no-space', string, string] | undefined>
> = {
  EACCES: ['data-folder-unusable', 'The data folder is not writable', NOT_WRITABLE],
  EPERM: ['data-folder-unusable', 'The data folder is not writable', NOT_WRITABLE],
  EROFS: ['data-folder-unusable', 'The data folder is on a read-only file system', 'Name another folder.'],
  EEXIST: ['data-folder-unusable', 'The data folder is not a folder', 'Name another one.'],
  ENOTDIR: ['data-folder-unusable', 'The data folder is not a folder', 'Name another one.'],
  ENOSPC: ['no-space', 'The disk is full', 'Make room, then start the overlord again.'],
  EDQUOT: ['no-space', 'The disk quota is used up', 'Make room, then start the overlord again.'],
};
