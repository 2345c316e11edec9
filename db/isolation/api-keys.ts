import * as schema from "../schema/api-keys.ts";
import { all, isolation, own, tenant } from "./suite/declare.ts";
import { type Actor, north, south, userOf } from "./suite/world.ts";

type Owned = { userId?: unknown; organizationId?: unknown };
/** A person's own, and what is the organization's that the request speaks for. */
const owned = (row: Owned, actor: Actor) => own("userId")(row, actor) || tenant(row, actor);
/** No key has anything to do with keys. */
const owners = (row: Owned, actor: Actor) => actor.key === undefined && owned(row, actor);

const both = { organization: "organizationId", user: "userId" } as const;
const key = (hash: string) => ({
  name: "Key",
  prefix: "fl_test" as const,
  lastFour: "abcd",
  keyHash: hash.repeat(43),
  scopes: ["resumes:read"],
});

export const apiKeyIsolation = isolation([schema.apiKey, schema.apiKeyAccess], {
  owner: both,
  rows: [
    { ...key("a"), id: "key_ada", userId: userOf("ada"), createdBy: userOf("ada") },
    { ...key("b"), id: "key_eve", userId: userOf("eve"), createdBy: userOf("eve") },
    { ...key("c"), id: "key_north", organizationId: north, createdBy: userOf("bob") },
    { ...key("d"), id: "key_south", organizationId: south, createdBy: userOf("eve") },
    { ...key("e"), id: "key_left", organizationId: north, createdBy: userOf("nobody") },
    { ...key("f"), id: "key_orphan", organizationId: south },
  ],
  reaches: {
    auth_resolver: all,
    authenticated: {
      select: owners,
      insert: (row, actor) => owners(row, actor) && own("createdBy")(row, actor),
      update: owners,
    },
    support: all,
    admin: all,
    service: all,
  },
  equivalent: { "api_key_update_policy: with check (true)": "the owner of a key cannot be updated" },
  pointsFreely: {
    createdBy: "a person's id is no tenant's row; a key has what that person has in its own organization",
  },
});

const record = { metric: "api_call", quantity: 1, periodStart: new Date(0) };

export const usageRecordIsolation = isolation([schema.usageRecord, schema.usageRecordAccess], {
  owner: both,
  rows: [
    { ...record, id: "use_ada", userId: userOf("ada"), keyId: "key_ada" },
    { ...record, id: "use_eve", userId: userOf("eve"), keyId: "key_eve" },
    { ...record, id: "use_north", organizationId: north, keyId: "key_north" },
    { ...record, id: "use_south", organizationId: south, keyId: "key_south" },
  ],
  reaches: { authenticated: owned, support: all, admin: all, service: all },
});

export const usageEventIsolation = isolation([schema.usageEvent, schema.usageEventAccess], {
  rows: [{ id: "evt_one" }],
  reaches: { service: all },
  goes: () => false,
});

const limit = { metric: "api_call", period: "day", max: 1 } as const;

export const usageLimitIsolation = isolation([schema.usageLimit, schema.usageLimitAccess], {
  owner: both,
  rows: [
    { ...limit, id: "lim_ada", userId: userOf("ada") },
    { ...limit, id: "lim_eve", userId: userOf("eve") },
    { ...limit, id: "lim_north", organizationId: north },
    { ...limit, id: "lim_south", organizationId: south },
  ],
  reaches: { auth_resolver: all, authenticated: owned, support: all, admin: all, service: all },
});

const counter = { metric: "api_call", period: "day" as const, periodStart: new Date(0), endsAt: new Date(1), used: 1 };

export const usageCounterIsolation = isolation([schema.usageCounter, schema.usageCounterAccess], {
  rows: [userOf("ada"), userOf("eve"), north, south].map((owner) => ({ ...counter, owner })),
  reaches: {
    auth_resolver: all,
    authenticated: ({ owner }, { sub, org }) => owner === sub || owner === org,
    support: all,
    admin: all,
    service: all,
  },
  goes: () => false,
});
