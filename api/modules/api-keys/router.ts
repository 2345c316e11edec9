import { callerProcedure, type ProcedureMeta, router, staffProcedure, userProcedure } from "../../core/procedures.ts";
import {
  createInput,
  keyIdInput,
  limitListInput,
  limitSetInput,
  listInput,
  rotateInput,
  summaryInput,
  takeOverInput,
  updateInput,
} from "./input.ts";
import { knownScopes } from "./scopes.ts";
import { revokeApiKey, takeOverApiKey, updateApiKey } from "./service/change.ts";
import { createApiKey, rotateApiKey } from "./service/create.ts";
import { setUsageLimit } from "./service/limits.ts";
import { listApiKeys, listUsageLimits, summarizeUsage } from "./service/read.ts";

// A key that could make keys would outlive its own end.
const read: ProcedureMeta = { scope: false, trips: 2 };
const write: ProcedureMeta = { scope: false, trips: 3 };
const usage: ProcedureMeta = { scope: "usage:read", trips: 2 };

export const apiKeysRouter = router({
  scopes: userProcedure.meta({ ...read, trips: 1 }).query(() => knownScopes()),
  list: userProcedure
    .meta(read)
    .input(listInput)
    .query(({ ctx, input }) => listApiKeys(ctx, input)),
  create: userProcedure
    .meta({ ...write, secret: true })
    .input(createInput)
    .mutation(({ ctx, input }) => createApiKey(ctx, input)),
  update: userProcedure
    .meta(write)
    .input(updateInput)
    .mutation(({ ctx, input }) => updateApiKey(ctx, input)),
  // The new key takes over what the old one answers.
  rotate: userProcedure
    .meta({ ...write, secret: true, trips: 4 })
    .input(rotateInput)
    .mutation(({ ctx, input }) => rotateApiKey(ctx, input)),
  revoke: userProcedure
    .meta(write)
    .input(keyIdInput)
    .mutation(({ ctx, input }) => revokeApiKey(ctx, input)),
  takeOver: userProcedure
    .meta(write)
    .input(takeOverInput)
    .mutation(({ ctx, input }) => takeOverApiKey(ctx, input)),
});

export const usageRouter = router({
  summary: callerProcedure
    .meta(usage)
    .input(summaryInput)
    .query(({ ctx, input }) => summarizeUsage(ctx, input)),
  limits: router({
    list: callerProcedure
      .meta(usage)
      .input(limitListInput)
      .query(({ ctx, input }) => listUsageLimits(ctx, input)),
    set: staffProcedure
      .meta(write)
      .input(limitSetInput)
      .mutation(({ ctx, input }) => setUsageLimit(ctx, input)),
  }),
});
