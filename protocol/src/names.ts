import { String as StringType } from 'typebox';

/** Name of a role: also its folder, its Compose project and a part of URLs, hence the narrow alphabet. */
export const RoleNameSchema = StringType({ pattern: '^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$' });

/** Name of a device or a site: a host name label. */
export const DeviceNameSchema = StringType({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' });

/** Name of a variable or a secret: what Compose interpolates as `${NAME}`. */
export const VariableNameSchema = StringType({ pattern: '^[A-Z][A-Z0-9_]{0,63}$' });

/** A Git commit id (SHA-1 or SHA-256 repositories). */
export const CommitSchema = StringType({ pattern: '^([0-9a-f]{40}|[0-9a-f]{64})$' });
