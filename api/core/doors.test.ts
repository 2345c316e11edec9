import { resume } from "@repo/db";
import { expect, test } from "vitest";
import { withContext } from "../test/context.ts";
import { rls } from "./database/rls.ts";

test("a context opens no connection by itself, and one trip reads", async () => {
  await withContext({}, async (context) => {
    expect(context.trips.total).toBe(0);
    expect(await context.db.select({ id: resume.id }).from(resume)).toEqual([]);
    expect(context.trips.total).toBe(1);
    const rows = await rls(context.dbDirect, { role: "authenticated", claims: { sub: "user_1" } }, (tx) => tx.select().from(resume), { readOnly: true });
    expect(rows).toEqual([]);
    expect(context.trips.total).toBe(2);
  });
});
