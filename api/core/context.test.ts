import { user } from "@repo/db";
import { expect, test } from "vitest";
import { testRuntime } from "../test/context.ts";
import { withDirectDb } from "./context.ts";
import type { Db } from "./database/doors.ts";

test.each([false, true])("work outside a request has its client closed behind it; failing: %j", async (fails) => {
  const behind: Promise<unknown>[] = [];
  const kept: Db[] = [];
  const outcome = withDirectDb({ ...testRuntime(), waitUntil: (promise) => void behind.push(promise) }, async (db) => {
    kept.push(db);
    await db.select({ id: user.id }).from(user).limit(1);
    if (fails) throw new Error("failed at its work");
    return "done";
  });
  if (fails) await expect(outcome).rejects.toThrow("failed at its work");
  else expect(await outcome).toBe("done");
  expect(behind).toHaveLength(1);
  await Promise.all(behind);
  await expect(kept[0]?.select({ id: user.id }).from(user)).rejects.toMatchObject({
    cause: { message: expect.stringContaining("closed") },
  });
});
