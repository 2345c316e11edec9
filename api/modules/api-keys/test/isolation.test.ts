import { auditLog, eq, type MemberRole, memberRoles } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { describe, expect, test } from "vitest";
import { signIn } from "../../../test/actors.ts";
import { measure, procedures } from "../../../test/call.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { ownerSql, withOwner } from "../../../test/owner.ts";
import { insider, keyOf } from "./keys.ts";

/** An organization with a key in use, one that nobody stands for, and a limit. */
async function furnished() {
  const host = await insider("owner");
  const gone = await insider("admin", host.organization);
  const [key, orphan] = [await keyOf(host), await keyOf(gone)];
  await ownerSql("delete from member where id = $1", [gone.memberId]);
  const staff = await signIn({ role: "admin" });
  const organizationId = host.organization.id;
  await staff.api.usage.limits.set({ organizationId, period: "day", max: 1000 });
  return { host, key, orphan, staff, organizationId };
}
type Furnished = Awaited<ReturnType<typeof furnished>>;

interface Case {
  input: (place: Furnished) => object | undefined;
  /** Whether the input names a key of the owner's. */
  named?: true;
  /** The roles that may, of the organization; default: all. */
  roles?: readonly MemberRole[];
  trips: number;
  /** Audit rows that it leaves. */
  rows?: number;
}

const owner = "organization" as const;
const managers = ["owner", "admin"] as const;
const range = { owner, since: new Date("2026-01-01"), until: new Date("2026-02-01") };
const forMembers: Record<string, Case> = {
  "apiKeys.list": { input: () => ({ owner }), roles: managers, trips: 2 },
  "apiKeys.create": {
    input: () => ({ owner, name: "New", scopes: ["resumes:read"] }),
    roles: managers,
    trips: 3,
    rows: 1,
  },
  "apiKeys.update": {
    input: ({ key }) => ({ owner, id: key.id, name: "Renamed" }),
    named: true,
    roles: managers,
    trips: 3,
    rows: 1,
  },
  "apiKeys.rotate": { input: ({ key }) => ({ owner, id: key.id }), named: true, roles: managers, trips: 4, rows: 2 },
  "apiKeys.revoke": { input: ({ key }) => ({ owner, id: key.id }), named: true, roles: managers, trips: 3, rows: 1 },
  "apiKeys.takeOver": { input: ({ orphan }) => ({ id: orphan.id }), named: true, roles: managers, trips: 3, rows: 1 },
  "usage.summary": { input: () => range, trips: 2 },
  "usage.limits.list": { input: () => ({ owner }), trips: 2 },
};
const others: Record<string, Case> = {
  "apiKeys.scopes": { input: () => undefined, trips: 1 },
  "usage.limits.set": {
    input: ({ organizationId }) => ({ organizationId, period: "day", max: 5 }),
    trips: 3,
    rows: 1,
  },
};
const all = { ...forMembers, ...others };
const inputOf = (path: string, place: Furnished) => all[path]?.input(place);

/** All that the module keeps of the organization, and how much has been written down of it. */
async function stateOf({ organizationId }: Furnished) {
  const tables = ["api_key", "usage_limit", "usage_record", "audit_log"];
  const queries = tables.map((table) => `select to_jsonb(t) as row from ${table} t where organization_id = $1`);
  return (await ownerSql(`${queries.join(" union all ")} order by 1`, [organizationId])).rows;
}

let made: Promise<Furnished> | undefined;
/** One for all tests in which nothing may happen to it. */
function untouched(): Promise<Furnished> {
  made ??= furnished();
  return made;
}

test("every procedure of the module is covered here", () => {
  const ours = Object.keys(procedures).filter((path) => /^(apiKeys|usage)\./.test(path));
  expect(Object.keys(all).sort()).toEqual(ours.sort());
});

test.each(Object.keys(all))("%s is refused to a visitor", async (path) => {
  const place = await untouched();
  const headers = { "x-organization": place.organizationId };
  await expectRefusal(measure(headers, path, inputOf(path, place)), "UNAUTHENTICATED");
});

test.each(Object.keys(all))(
  "%s for another tenant's organization is refused and changes nothing there",
  async (path) => {
    const place = await untouched();
    const eve = await insider("owner");
    const before = await stateOf(place);
    const headers = { ...eve.headers, "x-organization": place.organizationId };
    await expectRefusal(measure(headers, path, inputOf(path, place)), "FORBIDDEN", "not_a_member");
    expect(await stateOf(place)).toEqual(before);
  },
);

const named = Object.keys(forMembers).filter((path) => all[path]?.named);
test.each(named)("%s with another tenant's key is NOT_FOUND, whosever it is said to be", async (path) => {
  const place = await untouched();
  const eve = await insider("owner");
  const before = await stateOf(place);
  for (const whose of ["organization", "user"])
    await expectRefusal(measure(eve.headers, path, { ...inputOf(path, place), owner: whose }), "NOT_FOUND");
  expect(await stateOf(place)).toEqual(before);
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

test.each(Object.keys(forMembers))("%s asks for an organization", async (path) => {
  const place = await untouched();
  const { "x-organization": _, ...headers } = place.host.headers;
  await expectRefusal(measure(headers, path, inputOf(path, place)), "FORBIDDEN", "no_organization");
});

describe.each(memberRoles)("a %s", (role) => {
  test.each(Object.keys(forMembers))("%s: as the policy says", async (path) => {
    const allowed = (forMembers[path]?.roles ?? memberRoles).includes(role);
    const place = await (allowed ? furnished() : untouched());
    const actor = await insider(role, place.host.organization);
    const before = await stateOf(place);
    const attempt = measure(actor.headers, path, inputOf(path, place));
    if (allowed) return void (await attempt);
    await expectRefusal(attempt, "FORBIDDEN", "role_too_low");
    expect(await stateOf(place)).toEqual(before);
  });
});

test.each(Object.keys(all))("%s takes exactly its budget of trips, and a write leaves its audit rows", async (path) => {
  const place = await furnished();
  const actor = path === "usage.limits.set" ? place.staff : place.host;
  const rows = () => withOwner((db) => db.$count(auditLog, eq(auditLog.actorId, actor.user.id)));
  const before = await rows();
  const { trips } = await measure(actor.headers, path, inputOf(path, place));
  expect(trips).toBe(all[path]?.trips);
  expect(trips).toBe(procedures[path]?._def.meta?.trips);
  expect((await rows()) - before).toBe(all[path]?.rows ?? 0);
});

describe("limits are set", () => {
  test("by the platform's admins alone", async () => {
    const place = await untouched();
    const input = inputOf("usage.limits.set", place);
    const before = await stateOf(place);
    const support = await signIn({ role: "support" });
    await expectRefusal(measure(place.host.headers, "usage.limits.set", input), "FORBIDDEN");
    await expectRefusal(measure(support.headers, "usage.limits.set", input), "FORBIDDEN", "role_too_low");
    expect(await stateOf(place)).toEqual(before);
  });

  test("for owners that there are, one at a time", async () => {
    const { staff, host } = await untouched();
    const set = (more: object) => staff.api.usage.limits.set({ period: "day", max: 1, ...more });
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
  await expectRefusal(api.usage.summary({ ...range, cursor: "x" }), "BAD_REQUEST", "invalid_input");
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
