import { auditLog, eq } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { describe, expect, test } from "vitest";
import { signIn } from "../../../test/actors.ts";
import { measure } from "../../../test/call.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { rowsOf } from "../../../test/isolation/victim.ts";
import { ownerSql, withOwner } from "../../../test/owner.ts";
import { type Furnished, furnished, isolation, range } from "./isolation.ts";
import { insider, keyOf } from "./keys.ts";

const owner = "organization" as const;
const inputOf = (path: string, place: Furnished) => isolation.procedures[path]?.input?.(place) as object;
const admin = () => signIn({ role: "admin" });

let made: Promise<Furnished> | undefined;
/** One for all tests in which nothing may happen to it. */
function untouched(): Promise<Furnished> {
  made ??= furnished();
  return made;
}

/** The procedures that name a key. */
const named = ["apiKeys.update", "apiKeys.rotate", "apiKeys.revoke", "apiKeys.takeOver"];

test.each(named)("%s with another tenant's key is NOT_FOUND, whosever it is said to be", async (path) => {
  const place = await untouched();
  const eve = await insider("owner");
  const before = await rowsOf(place);
  for (const whose of ["organization", "user"])
    await expectRefusal(measure(eve.headers, path, { ...inputOf(path, place), owner: whose }), "NOT_FOUND");
  expect(await rowsOf(place)).toEqual(before);
});

test.each(named)("%s with a fellow member's own key, or a key that nobody has, is NOT_FOUND", async (path) => {
  const place = await untouched();
  const fellow = await insider("owner", place.host.organization);
  const { id } = await keyOf(fellow, { owner: "user" });
  for (const input of [
    { ...inputOf(path, place), id },
    { ...inputOf(path, place), id, owner: "user" },
    { ...inputOf(path, place), id: newId("key") },
  ])
    await expectRefusal(measure(place.host.headers, path, input), "NOT_FOUND");
});

test.each([...named, "apiKeys.create", "usage.limits.set"])("%s leaves its audit rows", async (path) => {
  const place = await furnished();
  const actor = path === "usage.limits.set" ? await admin() : place.host;
  const rows = () => withOwner((db) => db.$count(auditLog, eq(auditLog.actorId, actor.user.id)));
  const before = await rows();
  await measure(actor.headers, path, inputOf(path, place));
  // A rotation ends one key and makes another.
  expect((await rows()) - before).toBe(path === "apiKeys.rotate" ? 2 : 1);
});

describe("limits are set", () => {
  test("by the platform's admins alone", async () => {
    const place = await untouched();
    const input = inputOf("usage.limits.set", place);
    const before = await rowsOf(place);
    const support = await signIn({ role: "support" });
    await expectRefusal(measure(place.host.headers, "usage.limits.set", input), "FORBIDDEN");
    await expectRefusal(measure(support.headers, "usage.limits.set", input), "FORBIDDEN", "role_too_low");
    expect(await rowsOf(place)).toEqual(before);
  });

  test("for owners that there are, one at a time", async () => {
    const { host } = await untouched();
    const { api } = await admin();
    const set = (more: object) => api.usage.limits.set({ period: "day", max: 1, ...more });
    await expectRefusal(set({ organizationId: newId("org") }), "NOT_FOUND");
    await expectRefusal(set({ userId: newId("user") }), "NOT_FOUND");
    await expectRefusal(set({ userId: newId("user"), max: null }), "NOT_FOUND");
    await expectRefusal(set({}), "BAD_REQUEST", "invalid_input");
    await expectRefusal(set({ userId: host.user.id, organizationId: host.organization.id }), "BAD_REQUEST");
    for (const max of [-1, 0.5, 2 ** 53])
      await expectRefusal(set({ userId: host.user.id, max }), "BAD_REQUEST", "invalid_input");
  });
});

test("another tenant's cursor and key show nothing of theirs", async () => {
  const place = await untouched();
  const eve = await insider("owner");
  const { api } = eve;
  expect((await api.apiKeys.list({ owner, cursor: `${place.key.id}z` })).items).toEqual([]);
  expect((await api.usage.summary({ ...range, keyId: place.key.id })).items).toEqual([]);
  expect(await api.usage.limits.list({ owner })).toEqual([]);
  expect((await api.usage.summary({ ...range, cursor: "x" })).items).toEqual([]);
  await expectRefusal(api.usage.summary({ ...range, until: new Date("2027-01-01") }), "BAD_REQUEST", "invalid_input");
});

test("what the audit log says of a key holds neither its secret nor its hash", async () => {
  const ada = await insider();
  const { id, secret } = await keyOf(ada);
  const next = await ada.api.apiKeys.rotate({ owner, id });
  const { items } = await ada.api.organization.audit.list({});
  expect(items.map(({ action }) => action)).toEqual(["apiKey.create", "apiKey.rotate", "apiKey.create"]);
  const { rows } = await ownerSql("select key_hash from api_key where organization_id = $1", [ada.organization.id]);
  expect(rows).toHaveLength(2);
  for (const text of [secret, next.secret, ...rows.map((row) => row.key_hash)])
    expect(JSON.stringify(items)).not.toContain(text);
});

test("a person takes their own keys along in the export, without any secret", async () => {
  const ada = await insider();
  const own = await keyOf(ada, { owner: "user" });
  await keyOf(ada);
  const exported = await ada.api.user.export();
  expect(exported).toMatchObject({ apiKeys: [{ id: own.id }], usage: [], usageLimits: [] });
  expect(JSON.stringify(exported)).not.toContain(own.secret.slice(8));
});
