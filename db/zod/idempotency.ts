import { createInsertSchema, createSelectSchema, createUpdateSchema } from "drizzle-zod";
import { idempotencyKey } from "../schema/idempotency.ts";
import { ids } from "./ids.ts";

export const insertIdempotencyKeySchema = createInsertSchema(idempotencyKey, ids(idempotencyKey));
export const selectIdempotencyKeySchema = createSelectSchema(idempotencyKey, ids(idempotencyKey));
export const updateIdempotencyKeySchema = createUpdateSchema(idempotencyKey, ids(idempotencyKey));
