import { and, eq, resume } from "@repo/db";
import { withDeleted } from "@repo/db/schema/columns";
import type { Tx } from "../../core/database/doors.ts";
import { detail } from "./queries.ts";

/** Every résumé of the user's, deleted ones that can still be restored included. */
export async function exportResumes(tx: Tx, userId: string) {
  const own = and(eq(resume.userId, userId), withDeleted(resume));
  return { resumes: await tx.select(detail).from(resume).where(own).orderBy(resume.id) };
}
