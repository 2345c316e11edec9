import type { MemberRole } from "@repo/db";
import { type CallerUserRow, callerUser, type KeyCaller } from "../../core/caller.ts";
import type { CallerSource, Context } from "../../core/context.ts";
import { connectionOf } from "../../core/database/doors.ts";
import { AppError } from "../../core/errors/app-error.ts";
import { invalidKey } from "./errors.ts";
import { hashApiKey, isApiKey, prefixIn, presentedKey } from "./key.ts";
import { assertNoFlood } from "./rate-limit.ts";

type KeyRow = { [Column in keyof CallerUserRow]: CallerUserRow[Column] | null } & {
  key_id: string;
  scopes: string[];
  organization_id: string | null;
  member_role: MemberRole | null;
  allowed: boolean;
  warned: boolean | null;
  /** A bigint, which pg gives as text. */
  limit_max: string | null;
  limit_left: string | null;
  limit_resets_at: Date | null;
};

const consume = { name: "consume_key", text: "select * from auth.consume_key($1, $2)" };

const uses = new WeakMap<Context, KeyRow>();

/** What the request's API key was found to be and to be left with; undefined where none was looked up. */
export function keyUse(context: Context): KeyRow | undefined {
  return uses.get(context);
}

/** Knows callers by `authorization: Bearer fl_…`: found and counted in one round trip, past the cache. */
export const keyCaller: CallerSource = (context) => {
  const secret = presentedKey(context.headers);
  return secret === undefined ? undefined : lookUp(context, secret);
};

async function lookUp(context: Context, secret: string): Promise<KeyCaller> {
  if (!isApiKey(secret, prefixIn(context.env))) throw invalidKey();
  const hash = hashApiKey(secret);
  await assertNoFlood(context, hash);
  const { rows } = await connectionOf(context.dbDirect).query(consume, [hash, context.calls.wanted], "auth");
  const row = rows[0] as KeyRow | undefined;
  if (!row) throw invalidKey();
  uses.set(context, row);
  if (!row.allowed) throw overLimit(row);
  const organization = context.headers.get("x-organization") ?? undefined;
  if (organization && organization !== row.organization_id) {
    throw new AppError("FORBIDDEN", "The API key does not belong to the organization in x-organization", {
      reason: "not_a_member",
    });
  }
  return toCaller(row);
}

function overLimit({ limit_resets_at: resetsAt }: KeyRow): AppError {
  const retryAfter = resetsAt ? secondsUntil(resetsAt) : 60;
  return new AppError("RATE_LIMITED", "Over the limit of calls", { reason: "usage_limit", retryAfter });
}

/** Whole seconds, at least 1. */
export function secondsUntil(time: Date): number {
  return Math.max(1, Math.ceil((time.getTime() - Date.now()) / 1000));
}

function toCaller(row: KeyRow): KeyCaller {
  const { organization_id: organizationId, member_role: role } = row;
  return {
    via: "key",
    keyId: row.key_id,
    scopes: row.scopes,
    // The owner is a user or an organization: a user's columns come together.
    user: row.user_id === null ? null : callerUser(row as CallerUserRow),
    membership: organizationId && role ? { organizationId, role } : null,
  };
}
