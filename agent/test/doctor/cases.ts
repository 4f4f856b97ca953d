import { expect, it } from 'vitest';
import type { Finding, Severity } from '../../src/doctor/finding.ts';

/** What is wrong, findings, then of the one that counts: check, severity, words in what it saw, why, remedy or command. */
export type Case = readonly [string, readonly Finding[], string, Severity, RegExp];

/** One test for each case, and one that what has to be mended says why and how. */
export function itFinds(cases: readonly Case[]): void {
  it.each(cases)('finds %s', (...[, findings, check, severity, words]) => {
    const found = findings.filter((one) => one.check === check && one.severity === severity).map(textOf);
    expect(found.join('\n') || JSON.stringify(findings)).toMatch(words);
    expect(found).not.toEqual([]);
  });

  it('says why it matters and what to do wherever something has to be mended', () => {
    const serious = cases
      .flatMap(([, findings]) => findings)
      .filter(({ severity }) => severity === 'problem' || severity === 'warning');
    const mute = serious.filter(
      ({ why, remedy, command }) => why === undefined || (remedy ?? command) === undefined,
    );
    expect(mute).toEqual([]);
  });
}

function textOf({ seen, why, remedy, command }: Finding): string {
  return [seen, why, remedy, command].join(' ');
}
