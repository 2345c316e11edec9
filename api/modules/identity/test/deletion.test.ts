import { passkey, session, twoFactor } from "@repo/db";
import { expect, test } from "vitest";
import { openSession, signIn, unique } from "../../../test/actors.ts";
import { auditOf } from "../../../test/audit.ts";
import { apiFor } from "../../../test/call.ts";
import { ownerSql, withOwner } from "../../../test/owner.ts";
import { browser, proofFor, registered, subjectsTo } from "./browser.ts";

/** Rows of a table in which any column holds the text. */
async function rowsWith(table: string, text: string): Promise<number> {
  const { rows } = await ownerSql(`select count(*)::int as found from "${table}" t where to_jsonb(t)::text like $1`, [
    `%${text}%`,
  ]);
  return Number(rows[0]?.found);
}

const gone = ["user", "session", "identity", "passkey", "two_factor"];

test("deleting an account takes every row of the person's in identity's tables; the audit log keeps its id alone", async () => {
  const ada = await registered();
  await ada.auth.emailOtp.sendVerificationOtp({ email: ada.email, type: "sign-in" });
  await ada.auth.signIn.emailOtp({ email: ada.email, otp: await proofFor(ada.email) });
  const actor = await signIn();
  await withOwner(async (db) => {
    await db.insert(passkey).values({
      userId: ada.id,
      publicKey: "key",
      credentialID: unique(),
      counter: 0,
      deviceType: "singleDevice",
      backedUp: false,
    });
    await db.insert(twoFactor).values({ userId: ada.id, secret: "x", backupCodes: "x" });
    await db.insert(session).values({
      userId: actor.user.id,
      impersonatedBy: ada.id,
      token: unique(),
      expiresAt: new Date(Date.now() + 1000),
    });
  });
  for (const table of gone) expect([table, await rowsWith(table, ada.id)]).not.toEqual([table, 0]);
  await (await freshly(ada.id)).api.user.delete();
  for (const table of gone) expect([table, await rowsWith(table, ada.id)]).toEqual([table, 0]);
  expect(await rowsWith("verification", ada.email)).toBe(0);
  expect(await rowsWith("rate_limit", ada.email)).toBe(0);
  expect(await auditOf(ada.id)).toMatchObject([{ action: "user.delete", actorId: ada.id, before: { id: ada.id } }]);
  expect(await rowsWith("audit_log", ada.email)).toBe(0);
  expect(await rowsWith("user", actor.user.id)).toBe(1);
});

async function freshly(userId: string) {
  const { bearer } = await openSession(userId);
  return { api: apiFor({ authorization: `Bearer ${bearer}` }) };
}

test("no foreign key keeps an account from being deleted: what refers to it goes along or forgets it", async () => {
  const { rows } = await ownerSql(
    `select conrelid::regclass::text as of, confdeltype as action from pg_constraint where contype = 'f' and confrelid = '"user"'::regclass`,
  );
  expect(rows.length).toBeGreaterThan(5);
  expect(rows.filter(({ action }) => action !== "c" && action !== "n")).toEqual([]);
});

test("the address is free again", async () => {
  const ada = await registered();
  await (await freshly(ada.id)).api.user.delete();
  const { auth } = browser();
  await auth.signUp.email({ email: ada.email, password: "correct horse battery", name: "Ada" });
  expect(await subjectsTo(ada.email)).toEqual(["Confirm your e-mail address"]);
});
