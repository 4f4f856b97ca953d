/** The order in which devices get a release. */
export const SEGMENTS = ['canary', 'early', 'general'] as const;
export type Segment = (typeof SEGMENTS)[number];
