import { and, eq, isNotNull, resume, sql } from "@repo/db";
import { withDeleted } from "@repo/db/schema/columns";
import { withConflicts } from "../../../core/errors/database.ts";
import type { UserContext } from "../../../core/procedures.ts";
import { conflicts, notFound, stale } from "../errors.ts";
import type { RenameInput, ResumeIdInput, UpdateInput } from "../input.ts";
import { assertMayPublish } from "../policy.ts";
import { publicDataOf } from "../public-data.ts";
import { detail, liveById, summary } from "../queries.ts";

/** Saves an edit of the version that the caller has seen. The version is read along, to tell stale from missing. */
export async function updateResume({ rls }: UserContext, { id, version, data, hidden, template }: UpdateInput) {
  const hiddenNow = hidden ? sql`${sql.param(hidden)}::text[]` : sql`${resume.hidden}`;
  const [[current], [updated]] = await rls((tx) =>
    Promise.all([
      tx.select({ version: resume.version }).from(resume).where(liveById(id)),
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
    ]),
  );
  if (updated) return updated;
  throw current ? stale(current.version) : notFound();
}

/** Sets columns of one live résumé of the caller's. */
async function setLive({ rls }: UserContext, id: string, values: Partial<typeof resume.$inferInsert>) {
  const [row] = await rls((tx) => tx.update(resume).set(values).where(liveById(id)).returning(summary));
  if (!row) throw notFound();
  return row;
}

export function renameResume(ctx: UserContext, { id, name, slug }: RenameInput) {
  return withConflicts(conflicts, () => setLive(ctx, id, { name, slug }));
}

export async function publishResume(ctx: UserContext, { id }: ResumeIdInput) {
  assertMayPublish(ctx.caller);
  return setLive(ctx, id, { isPublic: true });
}

/** Takes effect at once for the owner; others may see the résumé for up to 75 s more. */
export function unpublishResume(ctx: UserContext, { id }: ResumeIdInput) {
  return setLive(ctx, id, { isPublic: false });
}

/** Deletes softly: the name is free at once, the slug after 30 days; until then `restore` brings it back, unpublished. */
export function deleteResume(ctx: UserContext, { id }: ResumeIdInput) {
  return setLive(ctx, id, { deletedAt: new Date(), isPublic: false });
}

export function restoreResume({ rls }: UserContext, { id }: ResumeIdInput) {
  return withConflicts(conflicts, async () => {
    const deleted = and(eq(resume.id, id), withDeleted(resume), isNotNull(resume.deletedAt));
    const [row] = await rls((tx) => tx.update(resume).set({ deletedAt: null }).where(deleted).returning(summary));
    if (!row) throw notFound();
    return row;
  });
}
