import { insider, signIn } from "../../../test/actors.ts";
import { type Case, defineIsolation } from "../../../test/isolation/declare.ts";
import { ownerSql } from "../../../test/owner.ts";
import { keyOf } from "./keys.ts";

/** An organization with a key in use, one that nobody stands for, and a limit. */
export async function furnished() {
  const host = await insider("owner");
  const gone = await insider("admin", host.organization);
  const [key, orphan] = [await keyOf(host), await keyOf(gone)];
  await ownerSql("delete from member where id = $1", [gone.memberId]);
  const staff = await signIn({ role: "admin" });
  const organizationId = host.organization.id;
  await staff.api.usage.limits.set({ organizationId, period: "day", max: 1000 });
  return { host, key: { id: key.id }, orphan: { id: orphan.id }, organizationId };
}
export type Furnished = Awaited<ReturnType<typeof furnished>>;

type Input = NonNullable<Case<Furnished>["input"]>;

const owner = "organization" as const;
export const range = { owner, since: new Date("2026-01-01"), until: new Date("2026-02-01") };
const managed = (input: Input, more: Partial<Case<Furnished>> = {}): Case<Furnished> => ({
  as: "member",
  roles: ["owner", "admin"],
  input,
  ...more,
});

export const isolation = defineIsolation<Furnished>({
  place: furnished,
  procedures: {
    "apiKeys.scopes": { as: "user" },
    "apiKeys.list": managed(() => ({ owner })),
    "apiKeys.create": managed(() => ({ owner, name: "New", scopes: ["user:read"] }), { makes: ["id"] }),
    "apiKeys.update": managed(({ key }) => ({ owner, id: key.id, name: "Renamed" })),
    "apiKeys.rotate": managed(({ key }) => ({ owner, id: key.id })),
    "apiKeys.revoke": managed(({ key }) => ({ owner, id: key.id })),
    "apiKeys.takeOver": managed(({ orphan }) => ({ id: orphan.id })),
    "usage.summary": { as: "member", anyKey: true, input: () => range },
    "usage.limits.list": { as: "member", anyKey: true, input: () => ({ owner }) },
    "usage.limits.set": {
      as: "staff",
      staff: ["admin"],
      input: ({ organizationId }) => ({ organizationId, period: "day", max: 5 }),
    },
  },
});
