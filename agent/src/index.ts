/**
 * The agent for hosts other than the one it runs on: the simulator builds the ports, everything else is what a device
 * runs. A device itself starts at `main.ts`.
 */
export { runPullWorker } from './act/pull-worker.ts';
export { buildContext } from './build-context.ts';
export { tryToEnrol } from './commands/enrol.ts';
export { pathsUnder, type Paths } from './paths.ts';
export type { Clock, Moment } from './ports/clock.ts';
export type { Disk, FileStat } from './ports/disk.ts';
export type {
  ComposeModel,
  ComposeMount,
  ComposeService,
  Container,
  Engine,
  Image,
  StackChange,
} from './ports/engine.ts';
export type { Command, Exec, Finished } from './ports/exec.ts';
export type { Http, HttpReply, HttpRequest } from './ports/http.ts';
export type { ImagePuller, PullProgress } from './ports/image-puller.ts';
export type { Log } from './ports/log.ts';
export type { Network } from './ports/network.ts';
export type { Label, Ports } from './ports/ports.ts';
export { realDisk } from './ports/real/disk.ts';
export { realHttp } from './ports/real/http.ts';
export { recorder } from './ports/real/log.ts';
export { tlsSessionsIn } from './ports/real/tls-sessions.ts';
export { run } from './run.ts';
