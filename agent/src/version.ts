declare const ROLE_AGENT_VERSION: string | undefined;

/** Version of the package that this bundle is from; `dev` when run from source. */
export const AGENT_VERSION: string = typeof ROLE_AGENT_VERSION === 'string' ? ROLE_AGENT_VERSION : 'dev';
