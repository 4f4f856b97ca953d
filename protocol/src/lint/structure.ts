import type { Stack } from './compose-file.ts';
import { finding, type Finding } from './finding.ts';
import { settingsOf } from './stacks.ts';
import type { Subject } from './subject.ts';
import type { Tree } from './tree.ts';

/** What every service of the stack must have, and what no role may have. */
export function structureFindings({ files, stacks }: Subject): Finding[] {
  return [...reservedNames(files), ...stacks.flatMap((stack) => serviceFindings(stacks, stack))];
}

function reservedNames(files: Subject['files']): Finding[] {
  const reserved = [...files.keys()].filter((path) => path === '.fleet' || path.startsWith('.fleet/'));
  return reserved.map((file) =>
    finding('reserved-name', {
      file,
      line: null,
      what: '.fleet is where the agent keeps what it knows about a release',
      remedy: 'Give it another name.',
    }),
  );
}

function serviceFindings(stacks: readonly Stack[], stack: Stack): Finding[] {
  const { file, services } = stack;
  const needsImage = (name: string): boolean => stack.runs && !settingsOf(stacks, stack, name).has('image');
  return [...services].flatMap(([name, service]) => [
    ...(service.fields.has('image') || service.fields.has('build') || needsImage(name)
      ? imageFindings(file, name, service)
      : []),
    ...privilegeFindings(file, name, service),
  ]);
}

function imageFindings(file: string, name: string, service: Tree): Finding[] {
  const build = service.fields.get('build');
  if (build !== undefined) {
    const remedy = 'Build the image elsewhere, push it to a registry, and name it with `image:`.';
    const what = `The service ${name} has \`build:\`, which would run on every device and keep the old image`;
    return [finding('no-build', { file, line: build.line, what, remedy })];
  }
  const image = service.fields.get('image');
  if (typeof image?.value !== 'string' || image.value.trim() === '') {
    const what = `The service ${name} has no image`;
    const remedy = 'Name one with `image:`, with a tag or a digest.';
    return [finding('image-missing', { file, line: image?.line ?? service.line, what, remedy })];
  }
  const tag = tagOf(image.value);
  if (tag !== null && tag !== 'latest') return [];
  const what = `The image ${image.value} of ${name} has ${tag === null ? 'no tag' : 'the tag latest'}, so that it may be another one tomorrow`;
  const remedy = 'Name a version, such as `:1.2.3`, or a digest.';
  return [finding('image-unpinned', { file, line: image.line, what, remedy })];
}

/** The tag of an image reference, or its digest; null for none. A reference made of variables counts as tagged. */
function tagOf(image: string): string | null {
  const digest = image.indexOf('@');
  if (digest !== -1) return image.slice(digest + 1);
  const plain = image.replaceAll(/\$\{[^}]*\}*/g, (variable) => variable.replaceAll(/[:/]/g, '_'));
  const name = plain.slice(plain.lastIndexOf('/') + 1);
  if (name.includes(':')) return name.slice(name.indexOf(':') + 1);
  return name.includes('$') ? name : null;
}

function privilegeFindings(file: string, name: string, service: Tree): Finding[] {
  const found: Finding[] = [];
  const privileged = service.fields.get('privileged');
  if (privileged?.value === true || privileged?.value === 'true') {
    const what = `The service ${name} is privileged: it can do anything on the device`;
    const remedy = 'Give it what it needs with `devices:`, `cap_add:` or `group_add:`.';
    found.push(finding('privileged', { file, line: privileged.line, what, remedy }));
  }
  const container = service.fields.get('container_name');
  if (typeof container?.value === 'string') {
    const what = `The service ${name} names its container ${container.value}, which can exist only once on a device`;
    const remedy = 'Leave `container_name:` out; other services reach it by the name of its service.';
    found.push(finding('container-name', { file, line: container.line, what, remedy }));
  }
  return found;
}
