/** What the process says to scripts. Stable: documented for users, never renumbered. */
export const EXIT = {
  done: 0,
  failed: 1,
  cancelled: 2,
  bug: 3,
  notAllowed: 4,
  notFound: 5,
  gateFailed: 6,
  timedOut: 7,
  usage: 64,
} as const;

export type Exit = (typeof EXIT)[keyof typeof EXIT];
