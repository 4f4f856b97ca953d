import type { Tree } from './tree.ts';
import { at, textAt } from './walk.ts';

/** A mount of a service that has a source. */
export interface Mount {
  readonly kind: 'bind' | 'volume';
  /** As written, its variables replaced. */
  readonly source: string;
  readonly writable: boolean;
  readonly line: number;
}

/** Turns the text of a value into what Compose would make of it; null where that is not known. */
export type Interpolate = (text: string) => string | null;

/** The bind mounts and named volumes of a service, in the short and the long form. */
export function mountsOf(service: Tree, interpolate: Interpolate): Mount[] {
  return (service.fields.get('volumes')?.items ?? []).flatMap((item) => {
    const mount = item.kind === 'map' ? longForm(item, interpolate) : shortForm(item, interpolate);
    return mount === null ? [] : [mount];
  });
}

function shortForm(item: Tree, interpolate: Interpolate): Mount | null {
  const text = interpolate(textAt(item) ?? '');
  if (text === null) return null;
  // A drive letter is not a separator: `C:\data:/data:ro`.
  const drive = /^[A-Za-z]:(?=[\\/])/.exec(text)?.[0] ?? '';
  const [first = '', target, options = ''] = text.slice(drive.length).split(':');
  const source = drive + first;
  if (target === undefined || source === '') return null;
  const kind = /^([./~\\]|[A-Za-z]:[\\/])/.test(source) ? 'bind' : 'volume';
  return { kind, source, writable: !options.split(',').includes('ro'), line: item.line };
}

function longForm(item: Tree, interpolate: Interpolate): Mount | null {
  const kind = textAt(at(item, 'type'));
  const source = textAt(at(item, 'source')) ?? textAt(at(item, 'src'));
  const known = source === null ? null : interpolate(source);
  if (known === null || known === '' || (kind !== 'bind' && kind !== 'volume')) return null;
  const readOnly = [at(item, 'read_only'), at(item, 'readonly')].some((field) => textAt(field) === 'true');
  const line = at(item, 'source')?.line ?? item.line;
  return { kind, source: known, writable: !readOnly, line };
}
