import { and, desc, eq, gte, isNotNull, lt, resume, resumeVisit, sql } from "@repo/db";
import { notDeleted, withDeleted } from "@repo/db/schema/columns";
import type { Context } from "../../../core/context.ts";
import { toPage } from "../../../core/pagination.ts";
import type { UserContext } from "../../../core/procedures.ts";
import { notFound } from "../errors.ts";
import { toHtml } from "../html.tsx";
import type { ExportInput, ListInput, ResumeIdInput, SlugInput } from "../input.ts";
import { findPublicBySlug, getResume, liveById, summary } from "../queries.ts";

const statsDays = 30;

export async function listResumes({ caller, rls }: UserContext, { limit, cursor, deleted }: ListInput) {
  const state = deleted ? and(withDeleted(resume), isNotNull(resume.deletedAt)) : notDeleted(resume);
  const rows = await rls((tx) =>
    tx
      .select(summary)
      .from(resume)
      .where(and(eq(resume.userId, caller.user.id), state, cursor ? lt(resume.id, cursor) : undefined))
      .orderBy(desc(resume.id))
      .limit(limit + 1),
  );
  return toPage(rows, limit, (row) => row.id);
}

export function getOwnResume({ rls }: UserContext, { id }: ResumeIdInput) {
  return rls((tx) => getResume(tx, id));
}

export async function getPublicResume({ db }: Context, { slug }: SlugInput) {
  const row = await findPublicBySlug(db, slug);
  if (!row) throw notFound();
  return row;
}

/** The document as a file: JSON Resume as it was saved, or a page to print. */
export async function exportResume({ rls }: UserContext, { id, format }: ExportInput) {
  const { data, slug, template } = await rls((tx) => getResume(tx, id));
  return format === "json"
    ? { filename: `${slug}.json`, contentType: "application/json", body: JSON.stringify(data, null, 2) }
    : { filename: `${slug}.html`, contentType: "text/html; charset=utf-8", body: toHtml(data, template) };
}

/** Totals, and visitors per day of the last 30 days (UTC), oldest first; days without any are left out. */
export async function getStats({ rls }: UserContext, { id }: ResumeIdInput) {
  const since = new Date(Date.now() - statsDays * 86_400_000).toISOString().slice(0, 10);
  const countOf = (kind: "view" | "download") =>
    sql<number>`count(*) filter (where ${resumeVisit.kind} = ${kind})`.mapWith(Number);
  const [[totals], days] = await rls((tx) =>
    Promise.all([
      tx.select({ views: resume.views, downloads: resume.downloads }).from(resume).where(liveById(id)),
      tx
        .select({ day: resumeVisit.day, views: countOf("view"), downloads: countOf("download") })
        .from(resumeVisit)
        .where(and(eq(resumeVisit.resumeId, id), gte(resumeVisit.day, since)))
        .groupBy(resumeVisit.day)
        .orderBy(resumeVisit.day),
    ]),
  );
  if (!totals) throw notFound();
  return { ...totals, days };
}
