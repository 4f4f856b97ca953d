import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Text files by their path in the fleet repo. */
export type Texts = Readonly<Record<string, string>>;

const TEMPLATE = join(import.meta.dirname, '../../../templates/role');

/** The template role, as it would stand in a fleet repo under another name. Health waits are shortened: stories are many. */
export function templateRole(name = 'hello'): Texts {
  const files = walk(TEMPLATE).map((path) => [
    `roles/${name}/${relative(TEMPLATE, path)}`,
    readFileSync(path, 'utf8')
      .replace('name: hello', `name: ${name}`)
      .replace('stable_for: 10s', 'stable_for: 2s')
      .replace('within: 60s', 'within: 25s')
      .replaceAll('interval: 5s', 'interval: 1s'),
  ]);
  return Object.fromEntries(files) as Texts;
}

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? walk(path) : [path];
  });
}

/** What every service of the stories does: run until it is asked to stop. */
const IDLE = `['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 3600 & wait; done"]`;
const SERVICE = `    image: busybox:1.36.1\n    restart: unless-stopped\n    mem_limit: 16m\n    command: ${IDLE}\n`;

/** A role with one service for each kind of input, to see which of them restart. */
export function inputsRole(): Texts {
  return {
    'roles/inputs/role.yaml': `name: inputs
vars:
  LEVEL: {type: int, default: 1}
health: {within: 25s, stable_for: 2s}
one_shots: [once]
`,
    'roles/inputs/compose.yaml': `services:
  mounted:
${SERVICE}    volumes: ['./page:/page:ro']
  configured:
${SERVICE}    configs: [{source: settings, target: /settings.ini}]
  secretive:
${SERVICE}    secrets: [token]
  variable:
${SERVICE}    environment: {LEVEL: '\${LEVEL}'}
  imaged:
${SERVICE}  steady:
${SERVICE}  once:
    image: busybox:1.36.1
    restart: 'no'
    mem_limit: 16m
    command: ['true']
configs:
  settings: {file: ./settings.ini}
secrets:
  token: {file: ./token.txt}
`,
    'roles/inputs/page/index.html': 'one\n',
    'roles/inputs/settings.ini': 'a=1\n',
    'roles/inputs/token.txt': 'first\n',
  };
}
