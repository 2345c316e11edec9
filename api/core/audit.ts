import { auditLog } from "@repo/db";
import type { Caller } from "./caller.ts";
import type { Tx } from "./database/doors.ts";
import { redact } from "./log.ts";

/** What is written down of one change. */
export interface AuditEntry {
  /** `<domain>.<verb>`, e.g. `team.update`. */
  action: string;
  /** Id of what was changed. */
  target: string;
  /** Fields as they were; left out where something is made. */
  before?: object | undefined;
  /** Fields as they are now; left out where something is deleted. */
  after?: object | undefined;
  /** Default: the organization that the procedure is bound to; null for what is a person's own. */
  organizationId?: string | null;
}

/** Who acts, in which request. Work of the system has neither caller nor address. */
export interface AuditContext {
  requestId: string;
  ip?: string;
  caller?: Caller & { organizationId?: string };
}

/**
 * Writes the change into the audit log with the transaction's COMMIT: both hold or neither, and it costs no trip. Of
 * `before` and `after` together it keeps the fields that differ; secrets are redacted. Documents and other bulk do not
 * belong here: the log outlives what it speaks of.
 */
export function audit({ caller, requestId, ip }: AuditContext, tx: Tx, entry: AuditEntry): void {
  const [before, after] = difference(entry).map((fields) => fields && (redact(fields) as Fields));
  const { action, target, organizationId = caller?.organizationId ?? null } = entry;
  const actor = {
    actorId: caller?.user?.id ?? null,
    keyId: caller?.via === "key" ? caller.keyId : null,
    impersonatorId: caller?.via === "session" ? caller.impersonatedBy : null,
  };
  tx.withCommit(
    tx.insert(auditLog).values({ ...actor, organizationId, action, target, before, after, requestId, ip: ip ?? null }),
  );
}

type Fields = Record<string, unknown>;

function difference({ before, after }: AuditEntry): [Fields | null, Fields | null] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  if (!old || !now) return [old, now];
  const changed = Object.keys(now).filter((key) => key in old && JSON.stringify(old[key]) !== JSON.stringify(now[key]));
  const only = (fields: Fields) => Object.fromEntries(changed.map((key) => [key, fields[key]]));
  return [only(old), only(now)];
}

/** As JSON has them, without the time of the change, which the row has itself. */
function fieldsOf(value: object | undefined): Fields | null {
  if (!value) return null;
  const { updatedAt: _, ...fields } = JSON.parse(JSON.stringify(value)) as Fields;
  return fields;
}
