import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The PostgreSQL of a running overlord. */
export interface EmbeddedDatabase {
  readonly url: string;
  readonly pid: number;
}

/** Found in an overlord's data folder by what PostgreSQL writes there: its process, and in line 5 its socket's folder. */
export async function databaseIn(data: string): Promise<EmbeddedDatabase> {
  const text = await readFile(join(data, 'postgres/cluster/postmaster.pid'), 'utf8');
  const [pid, , , , folder = ''] = text.split('\n');
  return { url: `postgresql:///fleet?host=${encodeURIComponent(folder)}&user=fleet`, pid: Number(pid) };
}
