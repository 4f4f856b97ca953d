import { FleetError } from '@metrica-fleet/protocol';
import { isMap, isSeq, parseDocument, type Document, type YAMLMap } from 'yaml';

/** What joining a fleet adds to `config.yaml`. */
export interface Joining {
  readonly url: string;
  /** File with the pinned authority; null for those of the system. */
  readonly ca: string | null;
  readonly allowedSigners: string;
  readonly device: string;
  readonly role: string | null;
  /** URL of the overlord whose fleet this device has been in before; null for none. */
  readonly former: string | null;
}

/**
 * The text of `config.yaml` after joining, or null where it needs no change. A file that a person wrote keeps all that
 * it says, comments too: the overlord comes before its other sources, and `allowed_signers` is added only where there
 * is none. An overlord that is named already stays, unless it is the one of the former fleet.
 * Throws `config-invalid` where the file cannot be read, or names a third overlord.
 */
export function configAfterJoining(text: string | null, where: string, joining: Joining): string | null {
  if (text === null) return newConfig(joining);
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) {
    throw new FleetError({
      code: 'config-invalid',
      what: `The file is not what a configuration looks like: ${document.errors[0]?.message ?? 'no fields'}`,
      where,
      remedy: 'Correct it, or remove it, and the enrolment writes a new one.',
    });
  }
  const overlord = overlordIn(document);
  if (overlord?.get('url') === joining.url) return null;
  if (overlord === null) addSource(document, joining);
  else if (joining.former !== null && overlord.get('url') === joining.former) point(overlord, joining);
  else {
    throw new FleetError({
      code: 'config-invalid',
      what: `The file names another overlord, ${String(overlord.get('url'))}; this device is invited by ${joining.url}`,
      where,
      remedy: 'Remove that source if the device shall change to the other fleet, else remove enroll.json.',
    });
  }
  if (!document.has('allowed_signers')) document.set('allowed_signers', joining.allowedSigners);
  return document.toString();
}

function newConfig({ url, ca, allowedSigners, device, role }: Joining): string {
  return [
    `# Written by the enrolment, when this device joined the fleet of ${url}. Yours to edit: it is not written again.`,
    '# /etc/role-agent/config.yaml.example shows every field.',
    `device: ${device}`,
    ...(role === null ? [] : [`role: ${role}`]),
    `allowed_signers: ${allowedSigners}`,
    'sources:',
    '  - overlord:',
    `      url: ${url}`,
    ...(ca === null ? [] : [`      ca: ${ca}`]),
    '',
  ].join('\n');
}

function overlordIn(document: Document): YAMLMap | null {
  const sources = document.get('sources');
  for (const source of isSeq(sources) ? sources.items : []) {
    const overlord: unknown = isMap(source) ? source.get('overlord') : null;
    if (isMap(overlord)) return overlord;
  }
  return null;
}

function addSource(document: Document, joining: Joining): void {
  const { url, ca } = joining;
  const source = document.createNode({ overlord: { url, ...(ca === null ? {} : { ca }) } });
  const sources = document.get('sources');
  if (isSeq(sources)) sources.items.unshift(source);
  else document.set('sources', document.createNode([source]));
}

function point(overlord: YAMLMap, { url, ca }: Joining): void {
  overlord.set('url', url);
  if (ca === null) overlord.delete('ca');
  else overlord.set('ca', ca);
}
