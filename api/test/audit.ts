import { type AuditLog, auditLog, eq } from "@repo/db";
import { withOwner } from "./owner.ts";

/** The audit rows of one target, oldest first. */
export function auditOf(target: string): Promise<AuditLog[]> {
  return withOwner((db) => db.select().from(auditLog).where(eq(auditLog.target, target)).orderBy(auditLog.id));
}
