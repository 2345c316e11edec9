import { idempotencyKey, idempotencyKeyAccess } from "../schema/idempotency.ts";
import { all, isolation } from "./suite/declare.ts";
import { type Actor, north, south, userOf } from "./suite/world.ts";

const call = { procedure: "x.y", key: "k", step: 0, payloadHash: "hash" };

/** An API key repeats its own calls, and nobody else's. */
const callers = (row: { caller?: unknown }, { sub, key }: Actor) => {
  const speaker = key ?? sub;
  return speaker !== undefined && row.caller === speaker;
};

export const idempotencyKeyIsolation = isolation([idempotencyKey, idempotencyKeyAccess], {
  rows: [
    { ...call, caller: userOf("ada"), organization: north },
    { ...call, caller: userOf("eve"), organization: south },
    { ...call, caller: userOf("sue"), organization: "" },
    { ...call, caller: userOf("max"), organization: "" },
    { ...call, caller: "key_ada", organization: "" },
    { ...call, caller: "key_north", organization: north },
  ],
  reaches: { authenticated: callers, support: callers, admin: callers, service: all },
  goes: () => false,
});
