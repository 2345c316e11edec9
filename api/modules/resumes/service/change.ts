import { and, eq, isNotNull, resume, sql } from "@repo/db";
import { withDeleted } from "@repo/db/schema/columns";
import { audit } from "../../../core/audit.ts";
import { withConflicts } from "../../../core/errors/database.ts";
import type { UserContext } from "../../../core/procedures.ts";
import { conflicts, notFound, stale } from "../errors.ts";
import type { RenameInput, ResumeIdInput, UpdateInput } from "../input.ts";
import { assertMayPublish } from "../policy.ts";
import { publicDataOf } from "../public-data.ts";
import { audited, auditedOf, detail, liveById, summary } from "../queries.ts";

/** Saves an edit of the version that the caller has seen. The version is read along, to tell stale from missing. */
export function updateResume(ctx: UserContext, { id, version, data, hidden, template }: UpdateInput) {
  const hiddenNow = hidden ? sql`${sql.param(hidden)}::text[]` : sql`${resume.hidden}`;
  return ctx.rls(async (tx) => {
    const [[before], [after]] = await Promise.all([
      tx.select(audited).from(resume).where(liveById(id)).for("no key update"),
      tx
        .update(resume)
        .set({
          data,
          hidden,
          template,
          publicData: data && publicDataOf(data, hiddenNow),
          version: sql`${resume.version} + 1`,
        })
        .where(and(liveById(id), eq(resume.version, version)))
        .returning(detail),
    ]);
    if (!after) throw before ? stale(before.version) : notFound();
    audit(ctx, tx, { action: "resume.update", target: id, before, after: auditedOf(after) });
    return after;
  });
}

type NewValues = Partial<typeof resume.$inferInsert> & { id: string };

/** Sets columns of one live résumé of the caller's. */
function setLive(ctx: UserContext, action: string, { id, ...values }: NewValues) {
  return ctx.rls(async (tx) => {
    const [[before], [after]] = await Promise.all([
      tx.select(audited).from(resume).where(liveById(id)).for("no key update"),
      tx.update(resume).set(values).where(liveById(id)).returning(summary),
    ]);
    if (!before || !after) throw notFound();
    audit(ctx, tx, { action, target: id, before, after });
    return after;
  });
}

export function renameResume(ctx: UserContext, { id, name, slug }: RenameInput) {
  return withConflicts(conflicts, () => setLive(ctx, "resume.rename", { id, name, slug }));
}

export async function publishResume(ctx: UserContext, { id }: ResumeIdInput) {
  assertMayPublish(ctx.caller);
  return setLive(ctx, "resume.publish", { id, isPublic: true });
}

/** Takes effect at once for the owner; others may see the résumé for up to 75 s more. */
export function unpublishResume(ctx: UserContext, { id }: ResumeIdInput) {
  return setLive(ctx, "resume.unpublish", { id, isPublic: false });
}

/** Deletes softly: the name is free at once, the slug after 30 days; until then `restore` brings it back, unpublished. */
export function deleteResume(ctx: UserContext, { id }: ResumeIdInput) {
  return setLive(ctx, "resume.delete", { id, deletedAt: new Date(), isPublic: false });
}

export function restoreResume(ctx: UserContext, { id }: ResumeIdInput) {
  const deleted = and(eq(resume.id, id), withDeleted(resume), isNotNull(resume.deletedAt));
  return withConflicts(conflicts, () =>
    ctx.rls(async (tx) => {
      const [[before], [after]] = await Promise.all([
        tx.select(audited).from(resume).where(deleted).for("no key update"),
        tx.update(resume).set({ deletedAt: null }).where(deleted).returning(summary),
      ]);
      if (!before || !after) throw notFound();
      audit(ctx, tx, { action: "resume.restore", target: id, before, after });
      return after;
    }),
  );
}
