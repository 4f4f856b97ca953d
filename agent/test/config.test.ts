import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fallbackConfig, parseConfig, type Config } from '../src/config.ts';

const WHERE = '/etc/role-agent/config.yaml';
const read = (text: string | null): Config => parseConfig(text, WHERE, 'Kiosk-12.lan');

describe('config.yaml', () => {
  it('may be the example', () => {
    const text = readFileSync(join(import.meta.dirname, '../config.example.yaml'), 'utf8');
    expect(read(text)).toMatchObject({
      device: 'kiosk-12',
      role: 'web',
      allowedSigners: null,
      sources: [{ kind: 'git', url: 'https://git.example.org/fleet.git', ref: 'refs/heads/main' }],
    });
  });

  it('may say everything', () => {
    const text = `
device: kiosk-1
role: web
site: shop-1
allowed_signers: /etc/role-agent/allowed_signers
vars: {NAME: x, COUNT: 2, ON: true}
sources:
  - git: {url: "git@git.example.org:fleet.git", tag: v1.2, ssh_key: /k, known_hosts: /h}
  - directory: {path: /media/usb}
`;
    expect(read(text)).toEqual({
      device: 'kiosk-1',
      role: 'web',
      site: 'shop-1',
      allowedSigners: '/etc/role-agent/allowed_signers',
      vars: { NAME: 'x', COUNT: 2, ON: true },
      sources: [
        {
          kind: 'git',
          url: 'git@git.example.org:fleet.git',
          ref: 'refs/tags/v1.2',
          credentials: null,
          sshKey: '/k',
          knownHosts: '/h',
        },
        { kind: 'directory', path: '/media/usb' },
      ],
    });
  });

  it.each<[string, string | null, RegExp]>([
    ['no file', null, /no configuration \(\/etc\/role-agent\/config\.yaml\)/],
    ['an empty file', '', /lacks sources/],
    ['no sources', 'role: web\n', /lacks sources .*config\.yaml:1/],
    ['an empty list of sources', 'role: web\nsources: []\n', /sources.*config\.yaml:2/],
    ['an unknown source', 'sources:\n  - ftp: {url: x}\n', /config\.yaml:2/],
    ['a typo', 'role: web\nsuorces: []\nsources:\n  - git: {url: x}\n', /suorces.*config\.yaml:2/],
    ['a typo deep inside', 'sources:\n  - git:\n      url: x\n      brunch: y\n', /brunch.*config\.yaml:4/],
    ['a role that is no name', 'role: ../x\nsources:\n  - git: {url: x}\n', /role.*config\.yaml:1/],
    [
      'branch and tag',
      'sources:\n  - git: {url: x, branch: a, tag: b}\n',
      /both a branch and a tag.*config\.yaml:2/,
    ],
    ['a password in the URL', 'sources:\n  - git:\n      url: https://u:p@h/\n', /contains a password/],
    ['a token in the URL', 'sources:\n  - git:\n      url: https://token@h/\n', /contains a password/],
    ['a URL that git takes for an option', 'sources:\n  - git: {url: --upload-pack=x}\n', /url/],
    ['a branch that git takes for an option', 'sources:\n  - git: {url: x, branch: -x}\n', /branch/],
    ['YAML that is none', 'role: [web\nsources: []\n', /not YAML.*config\.yaml:2/],
    ['a list', '- role\n', /config\.yaml:1/],
    ['the same field twice', 'role: web\nrole: web\nsources:\n  - git: {url: x}\n', /config\.yaml:2/],
  ])('is refused with %s, by file and line', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        problem: expect.objectContaining({ code: 'config-invalid' }) as object,
      }) as Error,
    );
  });

  it('does not grow without end', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'
        .split('')
        .map(
          (name, i) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[i]}`).join()}]`,
        ),
    ];
    expect(() => read(bomb.join('\n'))).toThrow(/config\.yaml/);
  });

  it('leaves a name for the status where it cannot be used', () => {
    expect(fallbackConfig('Kiosk-12.lan')).toMatchObject({ device: 'kiosk-12', sources: [] });
  });
});
