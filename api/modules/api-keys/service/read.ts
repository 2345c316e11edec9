import { and, apiKey, desc, eq, gte, lt, sql, usageCounter, usageLimit, usageRecord } from "@repo/db";
import { toPage } from "../../../core/pagination.ts";
import type { CallerContext, UserContext } from "../../../core/procedures.ts";
import type { LimitListInput, ListInput, SummaryInput } from "../input.ts";
import { assertMayManage, ownerOf } from "../policy.ts";
import { apiKeyDetail, creatorLeft, isActive, limitDetail, ownedBy, runningCounter } from "../queries.ts";

/** Keys without their secrets, newest first. */
export async function listApiKeys({ caller, rls }: UserContext, { limit, cursor, owner: whose, active }: ListInput) {
  const owner = assertMayManage(caller, whose);
  const rows = await rls((tx) =>
    tx
      .select({ ...apiKeyDetail, creatorLeft })
      .from(apiKey)
      .where(and(ownedBy(apiKey, owner), active ? isActive : undefined, cursor ? lt(apiKey.id, cursor) : undefined))
      .orderBy(desc(apiKey.id))
      .limit(limit + 1),
  );
  return toPage(rows, limit, (row) => row.id);
}

/** What was used, by UTC day, key and metric, newest first. */
export async function summarizeUsage({ caller, rls }: CallerContext, input: SummaryInput) {
  const { limit, cursor, since, until, keyId, metric } = input;
  const owner = ownerOf(caller, input.owner);
  const rows = await rls((tx) =>
    tx
      .select({
        day: usageRecord.periodStart,
        keyId: usageRecord.keyId,
        metric: usageRecord.metric,
        quantity: sql<number>`sum(${usageRecord.quantity})::bigint`.mapWith(Number),
      })
      .from(usageRecord)
      .where(
        and(
          ownedBy(usageRecord, owner),
          gte(usageRecord.periodStart, since),
          lt(usageRecord.periodStart, until),
          keyId ? eq(usageRecord.keyId, keyId) : undefined,
          metric ? eq(usageRecord.metric, metric) : undefined,
          cursor ? before(cursor) : undefined,
        ),
      )
      .groupBy(usageRecord.periodStart, usageRecord.keyId, usageRecord.metric)
      .orderBy(desc(usageRecord.periodStart), desc(usageRecord.keyId), desc(usageRecord.metric))
      .limit(limit + 1),
  );
  return toPage(rows, limit, (row) => [row.day.toISOString(), row.keyId, row.metric].join(" "));
}

function before(cursor: string) {
  const [day = "", keyId, metric] = cursor.split(" ");
  // Nothing comes behind a cursor that is none of ours.
  if (!keyId || !metric || Number.isNaN(Date.parse(day))) return sql`false`;
  return sql`(${usageRecord.periodStart}, ${usageRecord.keyId}, ${usageRecord.metric}) < (${new Date(day)}, ${keyId}, ${metric})`;
}

/** The owner's limits, and how much of each running period is used. */
export function listUsageLimits({ caller, rls }: CallerContext, input: LimitListInput) {
  const owner = ownerOf(caller, input.owner);
  return rls((tx) =>
    tx
      .select({ ...limitDetail, used: sql<number>`coalesce(${usageCounter.used}, 0)`.mapWith(Number) })
      .from(usageLimit)
      .leftJoin(usageCounter, runningCounter)
      .where(ownedBy(usageLimit, owner))
      .orderBy(usageLimit.metric, usageLimit.period, usageLimit.hard),
  );
}
