import { and, eq, isNotNull, member, organization, organizationPrefixes, session, sql } from "@repo/db";
import { newId, withDeleted } from "@repo/db/schema/columns";
import { exists } from "drizzle-orm";
import { audit } from "../../../core/audit.ts";
import { assertInPerson } from "../../../core/caller.ts";
import type { Tx } from "../../../core/database/doors.ts";
import { one } from "../../../core/database/rows.ts";
import { brokenConstraint, withConflicts } from "../../../core/errors/database.ts";
import type { MemberContext, SessionContext, UserContext } from "../../../core/procedures.ts";
import { slugOf, withSuffix } from "../../../core/slug.ts";
import { conflicts, noOrganization, slugTaken } from "../errors.ts";
import type { CreateInput, OrganizationIdInput, SetActiveInput, UpdateInput } from "../input.ts";
import { assertMay, assertOwnAccount } from "../policy.ts";
import { liveOrganization, organizationDetail } from "../queries.ts";

const proposals = 3;

/** Addresses like `slug` that nobody has. */
async function freeSlugs(tx: Tx, slug: string): Promise<string[]> {
  const numbered = Array.from({ length: 8 }, (_, index) => `${slug.slice(0, 78)}-${index + 2}`);
  const candidates = [...numbered, withSuffix(slug)];
  const rows = await tx
    .select({ slug: sql<string>`slug` })
    .from(sql`auth.free_slugs(${sql.param(candidates)}::text[]) as slug`)
    .limit(proposals);
  return rows.map((row) => row.slug);
}

/** A new organization with the caller as its owner. A slug proposed from the name gives way where it is taken. */
export function createOrganization(ctx: UserContext, { id, name, slug, logo, metadata }: CreateInput) {
  assertOwnAccount(ctx.caller);
  const organizationId = id ?? newId(organizationPrefixes.organization);
  const memberId = newId(organizationPrefixes.member);
  const proposed = slugOf(name, "organization");
  const slugs = slug ? [slug] : [proposed, withSuffix(proposed)];
  return withConflicts(conflicts, () =>
    ctx.rls(async (tx) => {
      const [[made], [row]] = await Promise.all([
        tx
          .select({ slug: sql<string | null>`slug` })
          .from(
            sql`auth.create_organization(${organizationId}, ${memberId}, ${name}, ${sql.param(slugs)}::text[], ${logo}, ${JSON.stringify(metadata)}::jsonb) as slug`,
          ),
        tx.select(organizationDetail).from(organization).where(liveOrganization({ organizationId })),
      ]);
      if (!made?.slug || !row) throw slugTaken(await freeSlugs(tx, slugs[0] ?? proposed));
      audit(ctx, tx, { action: "organization.create", target: organizationId, after: row, organizationId });
      return { ...row, role: "owner" as const, memberId };
    }),
  );
}

export async function getOrganization({ caller, rls }: MemberContext) {
  const [row] = await rls((tx) => tx.select(organizationDetail).from(organization).where(liveOrganization(caller)));
  if (!row) throw noOrganization();
  return { ...row, role: caller.role };
}

export async function updateOrganization(ctx: MemberContext, input: UpdateInput) {
  assertMay(ctx.caller, "organization.update");
  try {
    return await setLive(ctx, "organization.update", input);
  } catch (error) {
    if (brokenConstraint(error) !== "organization_slug_unique") throw error;
    throw slugTaken(await ctx.rls((tx) => freeSlugs(tx, input.slug ?? "")));
  }
}

/** Deletes softly: nobody can speak for it from the next request on; for 30 days its owners can restore it. */
export function deleteOrganization(ctx: MemberContext) {
  assertMay(ctx.caller, "organization.delete");
  assertInPerson(ctx.caller);
  return setLive(ctx, "organization.delete", { deletedAt: new Date() });
}

/** Sets columns of the organization that the request speaks for. */
function setLive(ctx: MemberContext, action: string, values: Partial<typeof organization.$inferInsert>) {
  const live = liveOrganization(ctx.caller);
  return ctx.rls(async (tx) => {
    const [[before], [after]] = await Promise.all([
      tx.select(organizationDetail).from(organization).where(live).for("no key update"),
      tx.update(organization).set(values).where(live).returning(organizationDetail),
    ]);
    if (!before || !after) throw noOrganization();
    audit(ctx, tx, { action, target: after.id, before, after });
    return after;
  });
}

/** Brings a deleted organization back, with all that was in it, for one of its owners. */
export function restoreOrganization(ctx: UserContext, { organizationId }: OrganizationIdInput) {
  return ctx.rls(async (tx) => {
    const owned = tx
      .select({ id: member.id })
      .from(member)
      .where(
        and(eq(member.organizationId, organizationId), eq(member.userId, ctx.caller.user.id), eq(member.role, "owner")),
      );
    const [after] = await tx
      .update(organization)
      .set({ deletedAt: null })
      .where(
        and(
          eq(organization.id, organizationId),
          withDeleted(organization),
          isNotNull(organization.deletedAt),
          exists(owned),
        ),
      )
      .returning(organizationDetail);
    if (!after) throw noOrganization();
    audit(ctx, tx, { action: "organization.restore", target: organizationId, after, organizationId });
    return after;
  });
}

/** The organization that requests of this session speak for from now on, unless they name one themselves. */
export function setActiveOrganization(ctx: SessionContext, { organizationId }: SetActiveInput) {
  const { sessionId, user } = ctx.caller;
  return ctx.rls(async (tx) => {
    const joined =
      organizationId === null
        ? undefined
        : exists(
            tx
              .select({ id: member.id })
              .from(member)
              .innerJoin(organization, eq(organization.id, member.organizationId))
              .where(and(liveOrganization({ organizationId }), eq(member.userId, user.id))),
          );
    const rows = await tx
      .update(session)
      .set({ activeOrganizationId: organizationId })
      .where(and(eq(session.id, sessionId), eq(session.userId, user.id), joined))
      .returning({ id: session.id });
    if (rows.length === 0) throw noOrganization();
    const { id: target } = one(rows);
    audit(ctx, tx, { action: "organization.setActive", target, after: { organizationId } });
    return { organizationId };
  });
}
