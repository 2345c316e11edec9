import { and, desc, eq, lt, resume } from "@repo/db";
import { notDeleted } from "@repo/db/schema/columns";
import type { Caller } from "../../core/caller.ts";
import { toPage } from "../../core/pagination.ts";
import type { Rls } from "../../core/procedures.ts";
import type { listInput } from "./input.ts";

type UserContext = { caller: Caller; rls: Rls };

export async function listResumes({ caller, rls }: UserContext, { limit, cursor }: listInput) {
  const rows = await rls((tx) =>
    tx
      .select({ id: resume.id, name: resume.name, slug: resume.slug })
      .from(resume)
      .where(and(eq(resume.userId, caller.user.id), notDeleted(resume), cursor ? lt(resume.id, cursor) : undefined))
      .orderBy(desc(resume.id))
      .limit(limit + 1),
  );
  return toPage(rows, limit, (row) => row.id);
}
