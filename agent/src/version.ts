declare const VERSION: string | undefined;

/** Version of the package that this bundle is from; `dev` when run from source. */
export const AGENT_VERSION: string = typeof VERSION === 'string' ? VERSION : 'dev';
