import { sql } from "@repo/db";
import type { Module } from "../../core/modules.ts";

/** A guest's résumés become the user's; a name that the user has already gets a number. */
export const adoptResumes: NonNullable<Module["adoptUser"]> = async (tx, { guestId, userId }) => {
  await tx.select({ done: sql`1` }).from(sql`auth.adopt_resumes(${guestId}, ${userId})`);
};
