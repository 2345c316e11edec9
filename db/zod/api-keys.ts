import { createInsertSchema, createSelectSchema, createUpdateSchema } from "drizzle-zod";
import { apiKey, usageCounter, usageEvent, usageLimit, usageRecord } from "../schema/api-keys.ts";
import { ids } from "./ids.ts";

export const insertApiKeySchema = createInsertSchema(apiKey, ids(apiKey));
export const selectApiKeySchema = createSelectSchema(apiKey, ids(apiKey));
export const updateApiKeySchema = createUpdateSchema(apiKey, ids(apiKey));

export const insertUsageRecordSchema = createInsertSchema(usageRecord, ids(usageRecord));
export const selectUsageRecordSchema = createSelectSchema(usageRecord, ids(usageRecord));
export const updateUsageRecordSchema = createUpdateSchema(usageRecord, ids(usageRecord));

export const insertUsageEventSchema = createInsertSchema(usageEvent, ids(usageEvent));
export const selectUsageEventSchema = createSelectSchema(usageEvent, ids(usageEvent));
export const updateUsageEventSchema = createUpdateSchema(usageEvent, ids(usageEvent));

export const insertUsageLimitSchema = createInsertSchema(usageLimit, ids(usageLimit));
export const selectUsageLimitSchema = createSelectSchema(usageLimit, ids(usageLimit));
export const updateUsageLimitSchema = createUpdateSchema(usageLimit, ids(usageLimit));

export const insertUsageCounterSchema = createInsertSchema(usageCounter, ids(usageCounter));
export const selectUsageCounterSchema = createSelectSchema(usageCounter, ids(usageCounter));
export const updateUsageCounterSchema = createUpdateSchema(usageCounter, ids(usageCounter));
