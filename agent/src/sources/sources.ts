import type { Config } from '../config.ts';
import type { Paths } from '../paths.ts';
import type { Ports } from '../ports/ports.ts';
import { directorySource } from './directory.ts';
import { gitSource } from './git/git.ts';
import type { Source } from './source.ts';

/** What every source is built with. */
export interface SourceContext {
  readonly ports: Pick<Ports, 'disk' | 'exec' | 'log'>;
  readonly paths: Paths;
}

/** The configured sources, in the order in which they are asked. */
export function sourcesOf(config: Config, context: SourceContext): readonly Source[] {
  return config.sources.map((source) =>
    source.kind === 'git' ? gitSource(source, config, context) : directorySource(source, config, context),
  );
}
