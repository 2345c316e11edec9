import { and, inArray, lt, resume, resumeVisit } from "@repo/db";
import { withDeleted } from "@repo/db/schema/columns";
import { type Runtime, withDirectDb } from "../../core/context.ts";
import type { Db } from "../../core/database/doors.ts";
import { asService } from "../../core/database/service.ts";

const slugReservedDays = 30;
const visitsKeptDays = 90;

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

/** Every night: frees the slugs of résumés deleted 30 days ago, forgets old visits, removes files without a résumé. */
export async function cleanUpResumes(runtime: Runtime): Promise<void> {
  await withDirectDb(runtime, async (dbDirect) => {
    await asService(dbDirect, async (tx) => {
      await tx.delete(resume).where(and(withDeleted(resume), lt(resume.deletedAt, daysAgo(slugReservedDays))));
      await tx.delete(resumeVisit).where(lt(resumeVisit.day, daysAgo(visitsKeptDays).toISOString().slice(0, 10)));
    });
    await removeOrphanFiles(runtime, dbDirect);
  });
}

async function removeOrphanFiles({ env }: Runtime, dbDirect: Db): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await env.FILES.list({ prefix: "resumes/", cursor });
    const idOf = (key: string) => key.split("/")[1] ?? "";
    const ids = [...new Set(page.objects.map(({ key }) => idOf(key)))];
    const kept = ids.length ? await existingIds(dbDirect, ids) : new Set<string>();
    const orphans = page.objects.map(({ key }) => key).filter((key) => !kept.has(idOf(key)));
    if (orphans.length) await env.FILES.delete(orphans);
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
}

async function existingIds(dbDirect: Db, ids: string[]): Promise<Set<string>> {
  const rows = await asService(dbDirect, (tx) =>
    tx
      .select({ id: resume.id })
      .from(resume)
      .where(and(inArray(resume.id, ids), withDeleted(resume))),
  );
  return new Set(rows.map(({ id }) => id));
}
