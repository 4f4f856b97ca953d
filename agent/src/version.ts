declare const VERSION: string | undefined;
declare const BUILT: string | undefined;

/** Version of the package that this bundle is from; `dev` when run from source. */
export const AGENT_VERSION: string = typeof VERSION === 'string' ? VERSION : 'dev';

/** When the package was made: no clock is right that says less. */
export const AGENT_BUILT: string = typeof BUILT === 'string' ? BUILT : '2026-01-01T00:00:00Z';
