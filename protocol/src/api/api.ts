/** The HTTP API of the overlord: routes, messages and the rules both sides share. Runs in a browser too. */
export * from './device-api.ts';
export * from './device-state.ts';
export * from './devices-api.ts';
export * from './enrolment-api.ts';
export * from './messages.ts';
export * from './operators-api.ts';
export * from './overview-api.ts';
export * from './paging.ts';
export * from './principals.ts';
export * from './problem-details.ts';
export * from './releases-api.ts';
export * from './rollouts-api.ts';
export * from './routes.ts';
export * from './segments.ts';
export * from './stream.ts';
