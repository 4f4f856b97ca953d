/**
 * Who may call a route, weakest first among operators. `public` needs no proof; `device` shows its short-lived token;
 * `viewer`, `operator` and `admin` are people or their API tokens, each with all that the one before may do;
 * `monitoring` has a token of its own.
 */
export const PRINCIPALS = ['public', 'device', 'viewer', 'operator', 'admin', 'monitoring'] as const;
export type Principal = (typeof PRINCIPALS)[number];

/** What a person, or a token made by one, may do. */
export const OPERATOR_ROLES = ['viewer', 'operator', 'admin'] as const;
export type OperatorRole = (typeof OPERATOR_ROLES)[number];

/** True when a caller that proved itself as `caller` may use a route for `needed`. */
export function mayCall(caller: Principal, needed: Principal): boolean {
  if (needed === 'public' || caller === needed) return true;
  const rank = (principal: Principal): number => OPERATOR_ROLES.indexOf(principal as OperatorRole);
  return rank(needed) >= 0 && rank(caller) >= rank(needed);
}
