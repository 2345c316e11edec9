import { apiCallMetric, apiKeysPrefixes } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import type { Context } from "../../core/context.ts";
import { describeError, logLine } from "../../core/log.ts";
import { usageJob } from "./jobs.ts";

interface Spender {
  key_id: string;
  user_id: string | null;
  organization_id: string | null;
}

/** Queues what a request used, in one message. A queue that is away costs the record, never the answer. */
export async function queueUsage(context: Context, key: Spender): Promise<void> {
  const { begun } = context.calls;
  if (begun.length === 0) return;
  const items = [...Map.groupBy(begun, (procedure) => procedure)].map(([procedure, calls]) => ({
    metric: apiCallMetric,
    quantity: calls.length,
    dimension: { procedure },
  }));
  try {
    await usageJob.enqueue(context, {
      id: newId(apiKeysPrefixes.usageEvent),
      keyId: key.key_id,
      userId: key.user_id,
      organizationId: key.organization_id,
      at: new Date().toISOString(),
      items,
    });
  } catch (error) {
    logLine("error", "usage not recorded", { requestId: context.requestId, error: describeError(error) });
  }
}
