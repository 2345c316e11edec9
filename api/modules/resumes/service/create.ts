import { type NewResume, resume, resumeHideable, resumePrefixes, type SQL, sql } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { audit } from "../../../core/audit.ts";
import type { Tx } from "../../../core/database/doors.ts";
import { one } from "../../../core/database/rows.ts";
import { withConflicts } from "../../../core/errors/database.ts";
import type { UserContext } from "../../../core/procedures.ts";
import { slugOf, withSuffix } from "../../../core/slug.ts";
import { conflicts } from "../errors.ts";
import type { CreateInput, DuplicateInput, ImportInput } from "../input.ts";
import { publicDataOf } from "../public-data.ts";
import { auditedOf, detail, getResume } from "../queries.ts";

type Draft = Pick<CreateInput, "name" | "data" | "hidden" | "template"> & { id?: string | undefined };

type Row = Omit<NewResume, "slug" | "publicData"> & { publicData: SQL; slug: string | undefined };

function rowOf({ caller }: UserContext, draft: Draft, slug?: string): Row {
  return {
    slug,
    id: draft.id ?? newId(resumePrefixes.resume),
    userId: caller.user.id,
    userEmail: caller.user.email,
    name: draft.name,
    data: draft.data,
    publicData: publicDataOf(draft.data, sql`${sql.param(draft.hidden)}::text[]`),
    hidden: draft.hidden,
    template: draft.template,
  };
}

/** Inserts under the wanted slug, or under one proposed from the name, which gives way where it is taken. */
async function insert(ctx: UserContext, tx: Tx, { slug, ...row }: Row) {
  const created = await insertUnder(tx, row, slug);
  audit(ctx, tx, { action: "resume.create", target: created.id, after: auditedOf(created) });
  return created;
}

async function insertUnder(tx: Tx, row: Omit<Row, "slug">, slug: string | undefined) {
  const under = (wanted: string) => tx.insert(resume).values({ ...row, slug: wanted });
  if (slug) return one(await under(slug).returning(detail));
  const proposed = slugOf(row.name, "resume");
  const [created] = await under(proposed).onConflictDoNothing({ target: resume.slug }).returning(detail);
  return created ?? one(await under(withSuffix(proposed)).returning(detail));
}

export function createResume(ctx: UserContext, { slug, ...draft }: CreateInput) {
  return withConflicts(conflicts, () => ctx.rls((tx) => insert(ctx, tx, rowOf(ctx, draft, slug))));
}

/** Takes a JSON Resume document over as it is; fields that the format does not know are kept. */
export function importResume(ctx: UserContext, { json, name, slug }: ImportInput) {
  const fallback = json.basics?.name?.trim().slice(0, 100) || "Imported résumé";
  const draft: Draft = { name: name ?? fallback, data: json, hidden: [...resumeHideable], template: "classic" };
  return withConflicts(conflicts, () => ctx.rls((tx) => insert(ctx, tx, rowOf(ctx, draft, slug))));
}

/** A private copy under another name; counters and publication stay with the original. */
export function duplicateResume(ctx: UserContext, { id, name }: DuplicateInput) {
  return withConflicts(conflicts, () =>
    ctx.rls(async (tx) => {
      const { data, hidden, template } = await getResume(tx, id);
      return insert(ctx, tx, rowOf(ctx, { name, data, hidden, template }));
    }),
  );
}
