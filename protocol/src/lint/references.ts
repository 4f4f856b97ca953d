import type { Stack } from './compose-file.ts';
import { insideRole } from './files.ts';
import { finding, type Finding } from './finding.ts';
import { mountsOf } from './mounts-of.ts';
import { interpolatorOf, type Subject } from './subject.ts';
import type { Tree } from './tree.ts';
import { at, namesOf, textAt } from './walk.ts';

/** A name that a service uses for something that is defined elsewhere. */
interface Use {
  readonly name: string;
  readonly line: number;
}

type Section = 'services' | 'volumes' | 'networks' | 'configs' | 'secrets' | 'models';

/** Services, volumes, networks, configs and secrets that a service refers to are defined in the stack. */
export function referenceFindings(subject: Subject): Finding[] {
  const running = subject.stacks.filter(({ runs }) => runs);
  const interpolate = interpolatorOf(subject);
  const defined = definedIn(running);
  return running.flatMap((stack) =>
    [...stack.services].flatMap(([name, service]) => {
      const uses: Record<Section, Use[]> = {
        services: serviceUses(service),
        volumes: mountsOf(service, interpolate).flatMap(({ kind, source, line }) =>
          kind === 'volume' ? [{ name: source, line }] : [],
        ),
        networks: namesOf(at(service, 'networks')),
        configs: sourcesOf(at(service, 'configs')),
        secrets: sourcesOf(at(service, 'secrets')),
        models: namesOf(at(service, 'models')),
      };
      return [
        ...unknown(defined, stack, { service: name, uses }),
        ...extendsFindings(subject, stack, service),
      ];
    }),
  );
}

type Defined = Readonly<Record<Section, ReadonlySet<string>>>;

function definedIn(running: readonly Stack[]): Defined {
  const names = (section: Section, ...implied: string[]): ReadonlySet<string> =>
    new Set([
      ...running.flatMap(({ tree }) => [...(tree.fields.get(section)?.fields.keys() ?? [])]),
      ...implied,
    ]);
  return {
    services: names('services'),
    volumes: names('volumes'),
    networks: names('networks', 'default'),
    configs: names('configs'),
    secrets: names('secrets'),
    models: names('models'),
  };
}

function unknown(
  defined: Defined,
  { file }: Stack,
  { service, uses }: { service: string; uses: Record<Section, Use[]> },
): Finding[] {
  return (Object.keys(uses) as Section[]).flatMap((section) => {
    const missing = uses[section].filter(
      ({ name }) => !defined[section].has(name) && !name.includes('$') && name !== '',
    );
    return missing.map(({ name, line }) => {
      const what = `${service} refers to the ${section.slice(0, -1)} ${name}, which is not defined`;
      const remedy =
        section === 'volumes' && name.includes('/')
          ? `A path begins with a dot: \`./${name}\`.`
          : `Define it under \`${section}:\` of the compose file, or correct the name.`;
      return finding('reference-unknown', { file, line, what, remedy });
    });
  });
}

function serviceUses(service: Tree): Use[] {
  const awaited = namesOf(at(service, 'depends_on')).filter(
    ({ name }) => textAt(at(service, 'depends_on', name, 'required')) !== 'false',
  );
  const shared = ['network_mode', 'ipc', 'pid'].flatMap((key) => {
    const name = /^service:(.+)$/.exec(textAt(at(service, key)) ?? '')?.[1];
    return name === undefined ? [] : [{ name, line: at(service, key)?.line ?? service.line }];
  });
  const lenders = namesOf(at(service, 'volumes_from')).filter(({ name }) => !name.startsWith('container:'));
  const beforeColon = [...lenders, ...namesOf(at(service, 'links'))].map(({ name, line }) => ({
    name: name.replace(/:.*$/, ''),
    line,
  }));
  return [...awaited, ...shared, ...beforeColon];
}

/** Configs and secrets of a service: a name, or a map with `source`. */
function sourcesOf(tree: Tree | undefined): Use[] {
  return (tree?.items ?? []).flatMap((item) => {
    const source = item.kind === 'map' ? at(item, 'source') : item;
    const name = textAt(source);
    return name === null ? [] : [{ name, line: source?.line ?? item.line }];
  });
}

function extendsFindings({ stacks }: Subject, stack: Stack, service: Tree): Finding[] {
  const base = at(service, 'extends');
  if (base === undefined) return [];
  const path = textAt(at(base, 'file'));
  const file = path === null ? stack.file : insideRole(path, stack.folder);
  const from = stacks.find((other) => other.file === file);
  const name = textAt(base) ?? textAt(at(base, 'service'));
  if (from === undefined || name === null || from.services.has(name)) return [];
  const what = `${name}, which is to be extended, is no service of ${from.file}`;
  return [
    finding('reference-unknown', { file: stack.file, line: base.line, what, remedy: 'Correct the name.' }),
  ];
}
