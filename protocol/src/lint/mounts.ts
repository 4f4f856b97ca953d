import { ROLE_DEFAULTS, stateFor } from '../role.ts';
import type { Stack } from './compose-file.ts';
import { exists, insideRole } from './files.ts';
import { finding, type Finding } from './finding.ts';
import { kindOfPath } from './host-paths.ts';
import { mountsOf, type Mount } from './mounts-of.ts';
import { interpolatorOf, type Subject } from './subject.ts';
import { settingsOf } from './stacks.ts';
import type { Tree } from './tree.ts';
import { at, textAt } from './walk.ts';

/** One mount of one service, and where it stands. */
interface Mounted {
  readonly subject: Subject;
  readonly stack: Stack;
  /** For messages: `service web`. */
  readonly user: string;
  /** User id that writes there, for the remedy. */
  readonly owner: number;
  readonly mount: Mount;
}

/** Bind mounts: only of the role's own files, of its declared state, and of well-known places of the host. */
export function mountFindings(subject: Subject): Finding[] {
  const interpolate = interpolatorOf(subject);
  return subject.stacks.flatMap((stack) => {
    const ofServices = [...stack.services].flatMap(([name, service]) => {
      const owner = ownerOf(settingsOf(subject.stacks, stack, name));
      return mountsOf(service, interpolate)
        .filter(({ kind }) => kind === 'bind')
        .map((mount) => ({ subject, stack, user: `service ${name}`, owner, mount }));
    });
    const ofVolumes = volumeMounts(stack, interpolate).map((volume) => ({
      subject,
      stack,
      owner: 0,
      ...volume,
    }));
    return [...ofServices, ...ofVolumes].flatMap((mounted) => judge(mounted));
  });
}

function ownerOf(settings: ReadonlyMap<string, Tree>): number {
  const user = /^\d{1,9}/.exec(textAt(settings.get('user')) ?? '')?.[0];
  return user === undefined ? 0 : Number(user);
}

/** Named volumes that are bind mounts in disguise: `driver_opts: {type: none, o: bind, device: …}`. */
function volumeMounts(
  { tree }: Stack,
  interpolate: (text: string) => string | null,
): { user: string; mount: Mount }[] {
  return [...(at(tree, 'volumes')?.fields ?? [])].flatMap(([name, volume]) => {
    const device = at(volume, 'driver_opts', 'device');
    const options = textAt(at(volume, 'driver_opts', 'o'))?.split(',') ?? [];
    const source = interpolate(textAt(device) ?? '');
    if (device === undefined || source === null || source === '' || !options.some((o) => /^r?bind$/.test(o)))
      return [];
    const mount = { kind: 'bind', source, writable: !options.includes('ro'), line: device.line } as const;
    return [{ user: `volume ${name}`, mount }];
  });
}

function judge(mounted: Mounted): Finding[] {
  const { stack, user, mount } = mounted;
  const place = { file: stack.file, line: mount.line };
  switch (kindOfPath(mount.source)) {
    case 'known':
      return [];
    case 'inside':
      return judgeInside(mounted);
    case 'engine-socket': {
      const what = `The ${user} gets the socket of the container engine, and with it root on the device and every container`;
      return [
        finding('docker-socket', {
          ...place,
          what,
          remedy: 'Leave it out, or put a filtering proxy in between.',
        }),
      ];
    }
    case 'release': {
      const what = `The ${user} mounts ${mount.source}, where releases come and go under a running container`;
      return [
        finding('self-contained', {
          ...place,
          what,
          remedy: 'Mount the file by its path in the role, such as `./config`.',
        }),
      ];
    }
    case 'host': {
      const name = /([\w-][\w.-]*)[\\/]*$/.exec(mount.source)?.[1] ?? 'data';
      const what = `The ${user} mounts ${mount.source} of the host, which the role does not bring`;
      const remedy = `To keep data, mount \`./${name}\` and declare it in role.yaml: \`${stateSnippet(name, mounted.owner)}\`. Configuration belongs into the role.`;
      return [finding('host-path', { ...place, what, remedy })];
    }
  }
}

function judgeInside({ subject: { role, files }, stack, user, owner, mount }: Mounted): Finding[] {
  const place = { file: stack.file, line: mount.line };
  const path = insideRole(mount.source, stack.folder);
  if (path === null) {
    const what = `The ${user} mounts ${mount.source}, which is outside of the role`;
    return [
      finding('self-contained', {
        ...place,
        what,
        remedy: 'Copy what it needs into the folder of the role.',
      }),
    ];
  }
  if (role === null || (path !== '.' && stateFor(role, path) !== undefined)) return [];
  if (mount.writable) {
    const what = `The ${user} may write to ./${path === '.' ? '' : path}, which the next release would replace`;
    const remedy =
      path === '.'
        ? 'Mount it read-only (`:ro`), or mount a folder of its own and declare that under `state:` in role.yaml.'
        : `Declare it in role.yaml: \`${stateSnippet(path, owner)}\`, or mount it read-only (\`:ro\`).`;
    return [finding('undeclared-state', { ...place, what, remedy })];
  }
  if (exists(files, path)) return [];
  const what = `The ${user} mounts ./${path}, which the role does not have`;
  const remedy = `Add it to the role (is it in .gitignore?), correct the path, or declare it in role.yaml: \`${stateSnippet(path, owner)}\`.`;
  return [finding('file-missing', { ...place, what, remedy })];
}

/** What an author adds to role.yaml, on one line so that it survives a log. */
function stateSnippet(path: string, owner: number): string {
  const plain = /^[\w./-]+$/.test(path) ? path : JSON.stringify(path);
  return `state: [{path: ${plain}, owner: ${owner}, mode: "${ROLE_DEFAULTS.stateMode}"}]`;
}
