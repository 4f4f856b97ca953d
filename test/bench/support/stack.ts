import type { Files } from '../../virtual-pi/fleet-repo.ts';

/** Where the two services of a stack listen. */
export interface Ports {
  readonly page: number;
  readonly steady: number;
}

export interface StackOptions {
  readonly ports: Ports;
  /** What `page` answers; another word is a change that recreates `page` and must leave `steady` alone. */
  readonly word: string;
  /** Each service has a healthcheck, each second. Without, nothing wakes the engine by itself. */
  readonly checked: boolean;
}

/** A stack of two pages, one of which changes: the same text for the agent and for its peers. */
export function compose({ ports, word, checked }: StackOptions): string {
  const health = `    healthcheck:
      test: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/']
      interval: 1s
      timeout: 3s
      retries: 3
`;
  const service = (name: string, port: number, says: string): string => `  ${name}:
    image: busybox:1.36.1
    restart: unless-stopped
    mem_limit: 16m
    environment: {WORD: '${says}'}
    ports: ['${port}:8080']
    command: ['sh', '-c', "trap 'exit 0' TERM; echo $$WORD > /tmp/index.html; httpd -f -p 8080 -h /tmp & wait"]
${checked ? health : ''}`;
  return `services:\n${service('page', ports.page, word)}${service('steady', ports.steady, 'steady')}`;
}

/** The stack as the role `pages`, with the template's health gate and interval. */
export function role(stack: StackOptions): Files {
  return {
    'roles/pages/role.yaml': `name: pages
update_interval: 5m
health:
  within: 60s
  stable_for: 10s
`,
    'roles/pages/compose.yaml': compose(stack),
  };
}
