import { and, eq, inArray, type NewResumeVisit, resume, resumeVisit, resumeVisitKinds, sql } from "@repo/db";
import { notDeleted } from "@repo/db/schema/columns";
import * as z from "zod";
import type { Tx } from "../../core/database/doors.ts";
import { asService } from "../../core/database/service.ts";
import { defineJob } from "../../core/jobs.ts";

const visit = z.object({
  kind: z.enum(resumeVisitKinds),
  slug: z.string(),
  day: z.iso.date(),
  visitor: z.string(),
});
type Visit = z.infer<typeof visit>;

/** Counts visits of published résumés. A visitor's second one of the day, or a second delivery, changes nothing. */
export const visitJob = defineJob("resumes.visit", visit, ({ dbDirect }, visits) =>
  asService(dbDirect, async (tx) => {
    const rows = await visitRows(tx, visits);
    if (rows.length === 0) return;
    const counted = await tx
      .insert(resumeVisit)
      .values(rows)
      .onConflictDoNothing()
      .returning({ resumeId: resumeVisit.resumeId, kind: resumeVisit.kind });
    await addCounts(tx, counted);
  }),
);

async function visitRows(tx: Tx, visits: Visit[]): Promise<NewResumeVisit[]> {
  const slugs = [...new Set(visits.map(({ slug }) => slug))];
  const published = await tx
    .select({ id: resume.id, slug: resume.slug })
    .from(resume)
    .where(and(inArray(resume.slug, slugs), eq(resume.isPublic, true), notDeleted(resume)));
  const idOf = new Map(published.map(({ id, slug }) => [slug, id]));
  return visits.flatMap(({ slug, kind, day, visitor }) => {
    const resumeId = idOf.get(slug);
    return resumeId ? [{ resumeId, kind, day, visitor }] : [];
  });
}

async function addCounts(tx: Tx, counted: Pick<NewResumeVisit, "resumeId" | "kind">[]): Promise<void> {
  const byResume = Map.groupBy(counted, ({ resumeId }) => resumeId);
  // In the order of ids, so that two batches never wait for each other.
  for (const [id, visits] of [...byResume].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const views = visits.filter(({ kind }) => kind === "view").length;
    const downloads = visits.length - views;
    await tx
      .update(resume)
      .set({ views: sql`${resume.views} + ${views}`, downloads: sql`${resume.downloads} + ${downloads}` })
      .where(and(eq(resume.id, id), notDeleted(resume)));
  }
}
