import { RULES, type RuleName, type Severity } from './rules.ts';

/** One thing that is wrong with a role, and what to do about it. */
export interface Finding {
  readonly severity: Severity;
  readonly rule: RuleName;
  /** Path of the file in the role. */
  readonly file: string;
  /** Counted from 1; null where the whole file, or its absence, is meant. */
  readonly line: number | null;
  /** One sentence without its full stop. */
  readonly what: string;
  /** One or more sentences: what the author can do. */
  readonly remedy: string;
}

export interface FindingText {
  readonly file: string;
  readonly line: number | null;
  readonly what: string;
  readonly remedy: string;
}

/** A finding with the severity of its rule. */
export function finding(rule: RuleName, text: FindingText): Finding {
  return { severity: RULES[rule].severity, rule, ...text };
}

/**
 * A finding on one line: `<file>:<line>: error: what. remedy [rule]`. With the role's name the path is that of the
 * fleet repo, `roles/<role>/<file>`.
 */
export function describeFinding(found: Finding, role?: string): string {
  const { severity, rule, file, line, what, remedy } = found;
  const path = role === undefined ? file : `roles/${role}/${file}`;
  return `${path}${line === null ? '' : `:${line}`}: ${severity}: ${what}. ${remedy} [${rule}]`;
}

/** By file, then line, then rule; what an alias makes stand in several places is said once. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const unique = new Map(findings.map((found) => [JSON.stringify(found), found]));
  return [...unique.values()].sort(
    (a, b) =>
      compare(a.file, b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      compare(a.rule, b.rule) ||
      compare(a.what, b.what),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
