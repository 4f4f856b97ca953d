import type { Container } from '../engine.ts';

/** Labels that tell whose a container is, and from what it was made. */
export const ROLE_LABEL = 'io.metrica-fleet.role';
const INPUTS_LABEL = 'io.metrica-fleet.inputs';
export const PROJECT_LABEL = 'com.docker.compose.project';
export const SERVICE_LABEL = 'com.docker.compose.service';

/** The fields of `docker inspect` that we read (Engine API 1.24 and later). */
interface Inspected {
  readonly Id: string;
  readonly RestartCount?: number;
  readonly State: {
    readonly Status: Container['state'];
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string } | null;
  };
  readonly Config: { readonly Image: string; readonly Labels: Readonly<Record<string, string>> | null };
  readonly Mounts?: readonly { readonly Type: string; readonly Source?: string }[] | null;
}

/** Containers from the JSON that `docker inspect` prints. */
export function containersOf(output: string): readonly Container[] {
  const inspected: readonly Inspected[] = JSON.parse(output);
  return inspected.map(containerOf);
}

function containerOf({ Id, RestartCount, State, Config, Mounts }: Inspected): Container {
  const labels = Config.Labels ?? {};
  return {
    id: Id,
    service: labels[SERVICE_LABEL] ?? '',
    image: Config.Image,
    state: State.Status,
    health: healthOf(State.Health?.Status),
    exitCode: State.ExitCode,
    restarts: RestartCount ?? 0,
    inputs: labels[INPUTS_LABEL] ?? null,
    mounts: (Mounts ?? []).flatMap(({ Type, Source }) =>
      Type === 'bind' && Source !== undefined ? [Source] : [],
    ),
  };
}

/** Docker says `none` (or nothing) for a container without healthcheck. */
function healthOf(status: string | undefined): Container['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : null;
}
