import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { ApiError } from '../server/api-error.ts';
import type { HandlersOf } from '../server/handler.ts';
import type { Certificates } from '../tls/certificates.ts';
import { installScript } from './script.ts';

interface Ports {
  readonly certificates: Certificates;
  /** As devices reach this overlord. */
  readonly url: string;
  /** The agent's .deb; null: this overlord serves none. */
  readonly agentPackage: string | null;
}

/** What a Pi fetches before it knows anything: the installer, the agent's package, our authority. Nothing secret. */
export function installerRoutes({
  certificates,
  url,
  agentPackage,
}: Ports): HandlersOf<'installer' | 'agentPackage' | 'certificateAuthority'> {
  const packagePath = (): string => {
    if (agentPackage !== null) return agentPackage;
    throw new ApiError('not-found', 'This overlord has no package of the agent', {
      remedy: 'Start it with --agent-package FILE; ./fleet package builds one.',
    });
  };
  return {
    installer: async ({ reply }) => {
      const sha256 = createHash('sha256')
        .update(await readFile(packagePath()))
        .digest('hex');
      const script = installScript({ url, authority: certificates.authority, pin: certificates.pin, sha256 });
      return reply.type('text/x-shellscript; charset=utf-8').send(script);
    },
    agentPackage: async ({ reply }) => {
      const { size } = await stat(packagePath());
      return reply
        .type('application/vnd.debian.binary-package')
        .header('content-length', size)
        .send(createReadStream(packagePath()));
    },
    certificateAuthority: ({ reply }) => reply.type('application/x-pem-file').send(certificates.authority),
  };
}

/** The line that a person runs on a Pi. The token goes by the environment: arguments can be read by everybody. */
export function enrolCommand(
  { url, certificates }: Pick<Ports, 'url' | 'certificates'>,
  token: string,
): string {
  const curl = `curl -fsSk --pinnedpubkey '${certificates.pin}' ${url}/install.sh`;
  return `export FLEET_TOKEN=${token}; ${curl} | sudo --preserve-env=FLEET_TOKEN sh`;
}
