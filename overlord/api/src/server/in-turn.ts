/** Work that many ask for at the same time. */
export interface InTurn<Result> {
  /** The result of a turn that begins after this call. */
  (): Promise<Result>;
  /** Resolves when no turn is under way or waiting. */
  readonly settled: () => Promise<void>;
}

/**
 * Does `work` once at a time. Who asks while it is under way gets the result of the next turn, together with all others
 * who asked meanwhile: the present one may have read before what they know of.
 */
export function inTurn<Result>(work: () => Promise<Result>): InTurn<Result> {
  let running: Promise<Result> | null = null;
  let next: Promise<Result> | null = null;
  const begin = (): Promise<Result> => {
    running = work().finally(() => (running = null));
    return running;
  };
  const ask = (): Promise<Result> => {
    if (running === null) return begin();
    const turn = (): Promise<Result> => {
      next = null;
      return begin();
    };
    next ??= running.then(turn, turn);
    return next;
  };
  const settled = async (): Promise<void> => {
    await (next ?? running)?.catch(() => undefined);
  };
  return Object.assign(ask, { settled });
}
