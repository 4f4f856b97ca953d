import type { ComposeMount } from '@metrica-fleet/agent';
import { join } from 'node:path/posix';

/** A published port. */
export interface Port {
  readonly target: number;
  /** On the host; absent where the engine chooses one. */
  readonly published?: string;
  readonly protocol: string;
}

/** `environment:` or `labels:`, as a list or as a map. A name without a value is one that Compose passes on. */
export function environmentOf(value: unknown): Record<string, string | null> {
  const pairs = Array.isArray(value)
    ? value.map((line): [string, unknown] => {
        const [name = '', ...rest] = String(line).split('=');
        return [name.trim(), rest.length === 0 ? null : rest.join('=')];
      })
    : Object.entries(value ?? {});
  return Object.fromEntries(pairs.map(([name, given]) => [name, given === null ? null : String(given)]));
}

/** A list of names as the map that it is short for. */
export function mapOf(value: unknown): Readonly<Record<string, object | null>> {
  if (Array.isArray(value)) return Object.fromEntries(value.map((name) => [String(name), null]));
  return (value ?? {}) as Record<string, object | null>;
}

/** `8080:80/udp`, with an address in front or without. Ranges count as their first port. */
export function portOf(value: unknown): Port {
  if (typeof value === 'object' && value !== null)
    return { ...(value as Port), protocol: (value as Partial<Port>).protocol ?? 'tcp' };
  const [ports = '', protocol = 'tcp'] = String(value).split('/');
  const [target = '0', published = ''] = ports
    .split(':')
    .reverse()
    .map((port) => port.split('-')[0] ?? '');
  return { target: Number(target), protocol, ...(/^\d+$/.test(published) ? { published } : {}) };
}

/** `./site:/www:ro`, `data:/var/lib`, `/cache`. */
export function mountOf(value: unknown, folder: string): ComposeMount {
  if (typeof value === 'object' && value !== null) {
    const mount = value as ComposeMount;
    const { source } = mount;
    return mount.type === 'bind' && source !== undefined
      ? { ...mount, source: absolute(source, folder) }
      : mount;
  }
  const [first = '', target, options = ''] = String(value).split(':');
  if (target === undefined) return { type: 'volume', target: first };
  const readOnly = options.split(',').includes('ro') ? { read_only: true } : {};
  if (!/^[./~]/.test(first)) return { type: 'volume', source: first, target, ...readOnly };
  return {
    type: 'bind',
    source: absolute(first, folder),
    target,
    ...readOnly,
    bind: { create_host_path: true },
  };
}

/** A command as the list of words that a shell would make of it. */
export function wordsOf(command: unknown): readonly string[] {
  if (Array.isArray(command)) return command.map(String);
  const text = typeof command === 'string' ? command : '';
  const words = text.match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? [];
  return words.map((word) => word.replaceAll(/^["']|["']$/g, ''));
}

function absolute(path: string, folder: string): string {
  return path.startsWith('/') ? path : join(folder, path);
}
