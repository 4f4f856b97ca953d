import type { Config } from '../config.ts';
import type { Paths } from '../paths.ts';
import type { Ports } from '../ports/ports.ts';
import { directorySource } from './directory.ts';
import { gitSource } from './git/git.ts';
import { overlordSource } from './overlord/overlord.ts';
import type { Source } from './source.ts';

/** What every source is built with. */
export interface SourceContext {
  readonly ports: Pick<Ports, 'clock' | 'disk' | 'exec' | 'http' | 'log'>;
  readonly paths: Paths;
}

/** The configured sources, in the order in which they are asked. Built anew for each run. */
export function sourcesOf(config: Config, context: SourceContext): readonly Source[] {
  return config.sources.map((source) => {
    switch (source.kind) {
      case 'overlord':
        return overlordSource(source, config, context);
      case 'git':
        return gitSource(source, config, context);
      case 'directory':
        return directorySource(source, config, context);
    }
  });
}
