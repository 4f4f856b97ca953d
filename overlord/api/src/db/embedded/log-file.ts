import { copyFile, open, readFile, stat, truncate, type FileHandle } from 'node:fs/promises';

/** When the log is moved aside, in bytes: a server that complains in a loop must not fill the disk. */
const LARGEST = 8 * 1024 * 1024;

/** Opens the server's log for appending. Both standard streams of the server go there, and stay there when we are gone. */
export function openLog(file: string): Promise<FileHandle> {
  return open(file, 'a', 0o640);
}

/** Keeps the log below its size, with one file before it. Truncated in place: the server has it open for appending. */
export async function rotateLog(file: string): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found === null || found.size < LARGEST) return;
  await copyFile(file, `${file}.1`);
  await truncate(file);
}

/** What the server wrote since `offset`: its complaints, without the chatter. At most the last `count`. */
export async function complaints(file: string, offset: number, count = 3): Promise<string> {
  const text = (await readFile(file)).subarray(offset).toString('utf8');
  const lines = text.split('\n').filter((line) => /\b(FATAL|PANIC|ERROR|HINT|error):/.test(line));
  return lines
    .slice(-count)
    .map((line) => line.replace(/^.*?\] /, '').trim())
    .join(' ');
}
