import { and, eq, resume, sql } from "@repo/db";
import { notDeleted } from "@repo/db/schema/columns";
import type { CachedDb, Tx } from "../../core/database/doors.ts";
import { notFound } from "./errors.ts";

/** A résumé as its owner sees it in a list. */
export const summary = {
  id: resume.id,
  name: resume.name,
  slug: resume.slug,
  template: resume.template,
  isPublic: resume.isPublic,
  views: resume.views,
  downloads: resume.downloads,
  thumbnailUrl: resume.thumbnailUrl,
  version: resume.version,
  createdAt: resume.createdAt,
  updatedAt: resume.updatedAt,
  deletedAt: resume.deletedAt,
};

/** A résumé as its owner edits it. */
export const detail = { ...summary, data: resume.data, hidden: resume.hidden };

/** What the audit log keeps of a résumé: never the document, which is the person's to delete. */
export const audited = {
  name: resume.name,
  slug: resume.slug,
  template: resume.template,
  hidden: resume.hidden,
  isPublic: resume.isPublic,
  thumbnailUrl: resume.thumbnailUrl,
  version: resume.version,
  deletedAt: resume.deletedAt,
};

/** The same of a row at hand. */
export function auditedOf(row: Partial<typeof resume.$inferSelect>): object {
  return Object.fromEntries(Object.entries(row).filter(([key]) => key in audited));
}

/** Filter for one live résumé; whose it is, the policies decide. */
export function liveById(id: string) {
  return and(eq(resume.id, id), notDeleted(resume));
}

/** @throws AppError NOT_FOUND */
export async function getResume(tx: Tx, id: string) {
  const [row] = await tx.select(detail).from(resume).where(liveById(id));
  if (!row) throw notFound();
  return row;
}

/** A published résumé as the world sees it. Through the cached door it may be 75 s old. */
export async function findPublicBySlug(db: CachedDb, slug: string) {
  const [row] = await db
    .select({
      id: resume.id,
      slug: resume.slug,
      name: resume.name,
      data: resume.publicData,
      template: resume.template,
      views: resume.views,
      downloads: resume.downloads,
      thumbnailUrl: resume.thumbnailUrl,
      createdAt: resume.createdAt,
      updatedAt: resume.updatedAt,
    })
    .from(resume)
    .where(and(eq(resume.slug, sql.placeholder("slug")), eq(resume.isPublic, true), notDeleted(resume)))
    .prepare("resume_by_slug")
    .execute({ slug });
  return row ?? null;
}
