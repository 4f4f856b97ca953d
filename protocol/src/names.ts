import { String as StringType } from 'typebox';

/** Name of a role: also its folder, its Compose project and a part of URLs, hence the narrow alphabet. */
export const RoleNameSchema = StringType({ pattern: '^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$' });

/** Name of a device or a site: a host name label. */
export const DeviceNameSchema = StringType({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' });

/** Name of a variable or a secret: what Compose interpolates as `${NAME}`. */
export const VariableNameSchema = StringType({ pattern: '^[A-Z][A-Z0-9_]{0,63}$' });

/** A Git commit id (SHA-1 or SHA-256 repositories). */
export const CommitSchema = StringType({ pattern: '^([0-9a-f]{40}|[0-9a-f]{64})$' });

/** A SHA-256 digest as 64 lower-case hexadecimal digits. Also the name of a directory in the stores. */
export type Digest = string;
export const DigestSchema = StringType({ pattern: '^[0-9a-f]{64}$' });

/** UUID of a device, a rollout, a report …: made at random by whoever makes the thing. */
export const IdSchema = StringType({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
});

/** A moment as it travels: UTC, whole seconds. */
export const TimeSchema = StringType({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' });
