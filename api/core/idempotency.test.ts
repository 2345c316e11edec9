import { describe, expect, test } from "vitest";
import { joinOrganization, signIn, unique } from "../test/actors.ts";
import { apiFor, measure } from "../test/call.ts";
import { testRuntime, withContext } from "../test/context.ts";
import { expectRefusal, refusal } from "../test/errors.ts";
import { expectIndex } from "../test/indexes.ts";
import { ownerSql } from "../test/owner.ts";
import { core } from "./cron.ts";
import { createCallerFactory, router, userProcedure } from "./procedures.ts";

/** The actor's procedures under an idempotency key. */
function keyed({ headers }: { headers: Record<string, string> }, key = unique(), overrides = {}) {
  return apiFor({ ...headers, "idempotency-key": key }, overrides);
}

// How long work takes on a busy machine is no finding.
const patient = { DB_CONNECT_TIMEOUT_MS: 120_000, DB_QUERY_TIMEOUT_MS: 120_000 };

describe("the same call twice", () => {
  test("has one effect and the same answer, dates included, in the trips of a write and a read", async () => {
    const ada = await signIn();
    const headers = { ...ada.headers, "idempotency-key": unique() };
    const first = await measure(headers, "resumes.create", { name: "once" });
    expect(first.trips).toBe(3);
    const second = await apiFor(headers).resumes.create({ name: "once" });
    expect(second).toEqual(first.result);
    expect(second.createdAt).toBeInstanceOf(Date);
    expect((await ada.api.resumes.list({})).items).toHaveLength(1);
  });

  test("with another payload is refused", async () => {
    const ada = await signIn();
    const api = keyed(ada);
    await api.resumes.create({ name: "once" });
    await expectRefusal(api.resumes.create({ name: "twice" }), "UNPROCESSABLE", "key_reused");
    expect((await ada.api.resumes.list({})).items).toHaveLength(1);
  });

  test("the key is the caller's, the organization's and the procedure's own", async () => {
    const [ada, eve] = [await signIn(), await signIn()];
    const key = unique();
    const one = await keyed(ada, key).resumes.create({ name: "one" });
    expect((await keyed(eve, key).resumes.create({ name: "one" })).id).not.toBe(one.id);
    expect(await keyed(ada, key).resumes.rename({ id: one.id, name: "renamed" })).toMatchObject({ name: "renamed" });
    const inside = await joinOrganization(ada, "member");
    await expectRefusal(keyed(inside, key).resumes.create({ name: "renamed" }), "CONFLICT", "name_taken");
  });

  test("a call that failed may be sent again", async () => {
    const ada = await signIn();
    const api = keyed(ada);
    const blocking = await ada.api.resumes.create({ name: "wanted" });
    await expectRefusal(api.resumes.create({ name: "wanted" }), "CONFLICT", "name_taken");
    await ada.api.resumes.delete({ id: blocking.id });
    expect(await api.resumes.create({ name: "wanted" })).toMatchObject({ name: "wanted" });
  });

  test("1,000 times at once has one effect; every answer is the first one or 409", async () => {
    const ada = await signIn();
    const api = keyed(ada, unique(), patient);
    const outcomes = await Promise.all(
      Array.from({ length: 1000 }, async () => {
        const call = api.resumes.create({ name: "once" });
        return call.then(
          ({ id }) => id,
          () => refusal(call),
        );
      }),
    );
    const [only] = (await ada.api.resumes.list({})).items;
    for (const outcome of outcomes) {
      if (typeof outcome === "string") expect(outcome).toBe(only?.id);
      else expect(outcome).toMatchObject({ code: "CONFLICT", reason: "in_progress" });
    }
    expect(outcomes.filter((outcome) => outcome === only?.id).length).toBeGreaterThan(0);
    expect((await ada.api.resumes.list({})).items).toHaveLength(1);
  }, 180_000);
});

test("an answer that holds a secret is not stored, and the replay says so", async () => {
  const issuing = router({
    issue: userProcedure
      .meta({ scope: "user:write", trips: 3, secret: true })
      .mutation(({ ctx }) => ctx.rls(async () => ({ secret: "shown-once" }))),
  });
  const ada = await signIn();
  const headers = { ...ada.headers, "idempotency-key": unique() };
  const call = () => withContext(headers, (context) => createCallerFactory(issuing)(context).issue());
  expect(await call()).toEqual({ secret: "shown-once" });
  await expectRefusal(call(), "CONFLICT", "already_done");
  const { rows } = await ownerSql("select answer from idempotency_key where caller = $1", [ada.user.id]);
  expect(rows).toEqual([{ answer: null }]);
});

test.each(["", "x".repeat(256), "a\tb", "é"])("the key %j is refused", async (key) => {
  const ada = await signIn();
  await expectRefusal(keyed(ada, key).resumes.create({ name: "x" }), "BAD_REQUEST", "invalid_idempotency_key");
});

test("keys are forgotten after a day", async () => {
  const ada = await signIn();
  for (const age of ["23 hours", "25 hours"]) {
    const key = age.replaceAll(" ", "-");
    await keyed(ada, key).resumes.create({ name: key });
    await ownerSql(`update idempotency_key set created_at = now() - interval '${age}' where caller = $1 and key = $2`, [
      ada.user.id,
      key,
    ]);
  }
  await core.crons["17 3 * * *"]?.(testRuntime());
  const { rows } = await ownerSql("select key from idempotency_key where caller = $1", [ada.user.id]);
  expect(rows).toEqual([{ key: "23-hours" }]);
  await expectIndex(
    "delete from idempotency_key where created_at < now() - interval '1 day'",
    "idempotency_key_created_idx",
  );
});
