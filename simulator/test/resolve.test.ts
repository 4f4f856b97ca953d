import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MemoryDisk } from '../src/host/memory-disk.ts';
import { resolveCompose } from '../src/engine/resolve.ts';

const FOLDER = '/opt/metrica/releases/1';
const TEMPLATE = join(import.meta.dirname, '../../templates/role/compose.yaml');

async function resolved(text: string, variables: Readonly<Record<string, string>> = {}) {
  const disk = new MemoryDisk();
  await disk.write('test.compose', join(FOLDER, 'compose.yaml'), { content: text });
  await disk.write('test.env', join(FOLDER, 'web.env'), { content: 'FROM_FILE=1\n# no\nLEVEL=file\n' });
  return await resolveCompose(disk, { project: 'hello', folder: FOLDER, variables });
}

it('resolves the template role as Compose does: absolute paths, long syntax, variables', async () => {
  const { name, services } = await resolved(await readFile(TEMPLATE, 'utf8'), { GREETING: 'Moin' });
  expect(name).toBe('hello');
  expect(services['prepare']).toMatchObject({
    environment: { GREETING: 'Moin' },
    command: ['sh', '-c', expect.stringContaining('echo "$GREETING, prepared"')],
    volumes: [{ type: 'bind', source: `${FOLDER}/data`, target: '/data' }],
    networks: { default: null },
  });
  expect(services['web']).toMatchObject({
    ports: [{ target: 8080, published: '8080', protocol: 'tcp' }],
    depends_on: { prepare: { condition: 'service_completed_successfully', required: true } },
    volumes: [
      { source: `${FOLDER}/site`, target: '/www/site', read_only: true },
      { source: `${FOLDER}/data`, target: '/www/data', read_only: true },
    ],
  });
});

it('understands the other ways to write the same', async () => {
  const { services, configs, volumes } = await resolved(`
services:
  web:
    image: web:\${LEVEL:-1}
    command: serve --title "two words"
    env_file: web.env
    environment: [LEVEL=own, EMPTY=]
    ports: ['127.0.0.1:80:8080/udp', 9000]
    volumes: ['cache:/cache', '/run/udev:/run/udev:ro']
    depends_on: [db]
    configs: [settings]
    healthcheck: {test: exit 0}
  db:
    image: db:1
    network_mode: host
configs: {settings: {file: ./settings.ini}}
volumes: {cache: }
`);
  expect(services['web']).toMatchObject({
    image: 'web:1',
    command: ['serve', '--title', 'two words'],
    environment: { FROM_FILE: '1', LEVEL: 'own', EMPTY: '' },
    ports: [{ target: 8080, published: '80', protocol: 'udp' }, { target: 9000 }],
    volumes: [
      { type: 'volume', source: 'cache', target: '/cache' },
      { type: 'bind', source: '/run/udev', target: '/run/udev', read_only: true },
    ],
    depends_on: { db: { condition: 'service_started' } },
    configs: [{ source: 'settings' }],
    healthcheck: { test: ['CMD-SHELL', 'exit 0'] },
  });
  expect(services['db']).not.toHaveProperty('networks');
  expect(configs).toEqual({ settings: { file: `${FOLDER}/settings.ini` } });
  expect(volumes).toEqual({ cache: { name: 'hello_cache' } });
});

it.each([
  ['no YAML', 'services: ['],
  ['what it does not know', 'services: {web: {image: a, extends: {service: b}}}'],
  ['an env_file that is not there', 'services: {web: {image: a, env_file: none.env}}'],
])('refuses %s', async (_what, text) => {
  await expect(resolved(text)).rejects.toMatchObject({ problem: { code: 'compose-invalid' } });
});
