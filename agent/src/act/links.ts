import { join } from 'node:path/posix';
import type { Deployment } from '../decide/journal.ts';
import type { Label } from '../ports/ports.ts';
import type { Context } from './context.ts';

/** Points a symlink at a deployment's release, unless it does already: a repeated effect costs the card nothing. */
export async function pointAt(
  { ports, paths }: Pick<Context, 'ports' | 'paths'>,
  {
    label,
    link,
    deployment,
  }: { readonly label: Label; readonly link: string; readonly deployment: Deployment },
): Promise<void> {
  const target = join(paths.releases, deployment.release.digest);
  if ((await ports.disk.readLink(link)) === target) return;
  await ports.disk.replaceLink(label, link, target);
}
