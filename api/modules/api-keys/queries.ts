import {
  and,
  apiKey,
  eq,
  gt,
  isNull,
  member,
  or,
  organization,
  type SQL,
  sql,
  usageCounter,
  usageLimit,
  type usageRecord,
  user,
} from "@repo/db";
import { notDeleted } from "@repo/db/schema/columns";
import type { Tx } from "../../core/database/doors.ts";
import { qualified } from "../../core/database/rows.ts";
import type { Owner } from "./policy.ts";

/** A key as its owner sees it; nobody sees its hash. */
export const apiKeyDetail = {
  id: apiKey.id,
  name: apiKey.name,
  prefix: apiKey.prefix,
  lastFour: apiKey.lastFour,
  scopes: apiKey.scopes,
  expiresAt: apiKey.expiresAt,
  revokedAt: apiKey.revokedAt,
  lastUsedAt: apiKey.lastUsedAt,
  createdBy: apiKey.createdBy,
  replacedBy: apiKey.replacedBy,
  createdAt: apiKey.createdAt,
  updatedAt: apiKey.updatedAt,
};

/** Whether whoever stood for an organization's key has left, so that it has a member's rights at most. */
export const creatorLeft = qualified(
  sql<boolean>`${apiKey.organizationId} is not null and not exists (select from ${member} where ${member.organizationId} = ${apiKey.organizationId} and ${member.userId} = ${apiKey.createdBy})`,
);

export const isActive = and(
  isNull(apiKey.revokedAt),
  or(isNull(apiKey.expiresAt), gt(apiKey.expiresAt, sql`now()`)),
) as SQL;

type OwnedTable = typeof apiKey | typeof usageRecord | typeof usageLimit;

/** Rows of one owner: another tenant's finds nothing, whatever the policies say. */
export function ownedBy(table: OwnedTable, { userId, organizationId }: Owner): SQL {
  return userId === null ? eq(table.organizationId, organizationId) : eq(table.userId, userId);
}

export function keyOf(owner: Owner, id: string): SQL {
  return and(ownedBy(apiKey, owner), eq(apiKey.id, id)) as SQL;
}

/** The person or the organization; no row where it has been deleted. */
export function findOwner(tx: Tx, { userId, organizationId }: Owner) {
  return userId === null
    ? tx
        .select({ id: organization.id })
        .from(organization)
        .where(and(eq(organization.id, organizationId), notDeleted(organization)))
    : tx.select({ id: user.id }).from(user).where(eq(user.id, userId));
}

/**
 * Makes everybody else who makes a key for this owner wait for this transaction. Send it first: statements behind it
 * see what the one before has committed. No row: the owner has been deleted.
 */
export function lockOwner(tx: Tx, owner: Owner) {
  return findOwner(tx, owner).for("no key update");
}

export const limitDetail = {
  id: usageLimit.id,
  metric: usageLimit.metric,
  period: usageLimit.period,
  hard: usageLimit.hard,
  max: usageLimit.max,
};

/** The counter of a limit's running period. */
export const runningCounter = and(
  eq(usageCounter.owner, sql`coalesce(${usageLimit.organizationId}, ${usageLimit.userId})`),
  eq(usageCounter.metric, usageLimit.metric),
  eq(usageCounter.period, usageLimit.period),
  sql`${usageCounter.periodStart} = date_trunc(${usageLimit.period}, now() at time zone 'UTC') at time zone 'UTC'`,
);
