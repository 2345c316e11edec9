import { and, eq, resume, sql } from "@repo/db";
import { notDeleted } from "@repo/db/schema/columns";
import type { CachedDb } from "../../core/database/doors.ts";

export async function findPublicBySlug(db: CachedDb, slug: string) {
  const [row] = await db
    .select({ id: resume.id, slug: resume.slug, data: resume.publicData })
    .from(resume)
    .where(and(eq(resume.slug, sql.placeholder("slug")), eq(resume.isPublic, true), notDeleted(resume)))
    .prepare("resume_by_slug")
    .execute({ slug });
  return row ?? null;
}
