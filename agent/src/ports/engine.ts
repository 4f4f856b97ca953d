import type { Variables } from '@metrica-fleet/protocol';
import type { Label } from './ports.ts';

/** Oldest Compose that escapes `$` in `config`, knows `--pull never` in `up`, and reads a model from standard input. */
export const OLDEST_COMPOSE = [2, 20] as const;

/** A container as the engine reports it. */
export interface Container {
  readonly id: string;
  readonly service: string;
  readonly image: string;
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
  /** Result of its healthcheck; null where it has none. */
  readonly health: 'starting' | 'healthy' | 'unhealthy' | null;
  readonly exitCode: number;
  /** Restarts by the engine's restart policy since the container was created. */
  readonly restarts: number;
  /** Value of the label that carries the digest of the service's inputs; null for a foreign container. */
  readonly inputs: string | null;
  /** Sources of its bind mounts. */
  readonly mounts: readonly string[];
}

/** An image on the device. */
export interface Image {
  readonly id: string;
  /** Names with tags; empty for one that has lost its name to another, or never had one. */
  readonly tags: readonly string[];
  /** Bytes, of layers that it shares with others too. */
  readonly size: number;
  /** ISO 8601; when it was built, not when it came. */
  readonly created: string;
  /** Whether a container was made from it, running or not. */
  readonly inUse: boolean;
}

/** A Compose model as `docker compose config --format json` prints it: long syntax only, everything resolved. */
export interface ComposeModel {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly [section: string]: unknown;
}

export interface ComposeService {
  readonly image?: string;
  readonly restart?: string;
  readonly volumes?: readonly ComposeMount[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: boolean }>>;
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly string[] };
  readonly [key: string]: unknown;
}

export interface ComposeMount {
  readonly type: string;
  readonly source?: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly [key: string]: unknown;
}

export interface StackChange {
  readonly label: Label;
  /** The model that is to run; given to Compose on standard input. */
  readonly model: ComposeModel;
  /** Services to create, recreate or start, and no others. */
  readonly services: readonly string[];
}

/** Docker Engine and Compose v2. Every method has a deadline of its own inside. Errors are FleetErrors. */
export interface Engine {
  /** Versions of the engine and of Compose. Throws `docker-missing`, `docker-unreachable`, `compose-missing`, each with its remedy. */
  check(): Promise<{ readonly engine: string; readonly compose: string }>;
  /** Names one life of the engine: another answer later means that it was restarted in between. Null where nobody can tell. */
  life(): Promise<string | null>;
  /** All containers of a Compose project, running or not. */
  containers(project: string): Promise<readonly Container[]>;
  /** Names of the Compose projects that carry our label: the stacks that the agent made. */
  projects(): Promise<readonly string[]>;
  /** Resolves the Compose file of a release folder. Throws `compose-invalid` with what Compose says. */
  resolve(project: string, folder: string, variables: Variables): Promise<ComposeModel>;
  /** Those of the image references that are not on the device. */
  missingImages(references: readonly string[]): Promise<readonly string[]>;
  /** Ids of those of the image references that are on the device, by reference. */
  imageIds(references: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** Every image, the oldest first. */
  images(): Promise<readonly Image[]>;
  /** Takes names from an image, and removes it with the last of them; an id stands for an image without names. Throws where a container has it. */
  removeImage(label: Label, names: readonly string[]): Promise<void>;
  /**
   * Brings services to the model. Throws `start-failed` with the last lines that Compose printed, and `docker-stuck`
   * where only a restart of the engine helps.
   */
  up(change: StackChange): Promise<void>;
  /** Restarts the engine itself. Takes every container down for a moment; those with a restart policy come back. */
  restartEngine(label: Label): Promise<void>;
  /** Restarts containers of services in place. */
  restart(label: Label, project: string, services: readonly string[]): Promise<void>;
  /** Removes the containers of services that the model no longer has. */
  removeServices(label: Label, project: string, services: readonly string[]): Promise<void>;
  /** Stops and removes a project's containers and networks. Named volumes stay. */
  down(label: Label, project: string): Promise<void>;
  /** Runs a command in a running container; null on exit 0, else a short reason. Deadline in milliseconds. */
  execIn(container: string, argv: readonly string[], deadline: number): Promise<string | null>;
  /** The last lines a container wrote. */
  logs(container: string, lines: number): Promise<string>;
}
