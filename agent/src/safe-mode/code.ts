import { timingSafeEqual } from 'node:crypto';

/** Wrong codes that one caller, and all of them together, may send in a minute. */
const TRIES = { caller: 5, everybody: 120 } as const;
const WINDOW = 60;

export type Verdict = 'right' | 'wrong' | 'too-many';

/**
 * Checks the codes that people send, and slows down who guesses: 40 random bits at 120 tries a minute are safe for
 * thousands of years, and one caller that guesses does not lock out the others.
 */
export class CodeCheck {
  private wrong: { readonly caller: string; readonly at: number }[] = [];

  /** @param now seconds, monotonic. */
  try({ code, expected, caller, now }: CodeTry): Verdict {
    this.wrong = this.wrong.filter(({ at }) => at > now - WINDOW);
    const ofCaller = this.wrong.filter((entry) => entry.caller === caller).length;
    if (ofCaller >= TRIES.caller || this.wrong.length >= TRIES.everybody) return 'too-many';
    if (sameCode(code, expected)) return 'right';
    this.wrong.push({ caller, at: now });
    return 'wrong';
  }
}

export interface CodeTry {
  /** As a person typed it. */
  readonly code: string;
  /** Null: there is none, and nothing is right. */
  readonly expected: string | null;
  readonly caller: string;
  readonly now: number;
}

/** Small letters, dashes and spaces are no mistake. */
function sameCode(typed: string, expected: string | null): boolean {
  const [a, b] = [plain(typed), plain(expected ?? '')];
  return a.length === b.length && b.length >= 6 && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function plain(code: string): string {
  return code.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
}
