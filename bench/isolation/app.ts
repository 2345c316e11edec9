import type { AnyProcedure } from "@trpc/server";
import { createApp } from "../../api/app.ts";
import { router } from "../../api/core/procedures.ts";
import { appRouter } from "../../api/modules/registry.ts";
import { careless } from "./careless.ts";

/** The API as it is, with careless procedures beside its own; `worse` in the place of some of them. */
export function buildApp(worse: Record<string, AnyProcedure> = {}) {
  // A router's record is what a router is made of; only its type says otherwise.
  const record = appRouter._def.record as unknown as Parameters<typeof router>[0];
  return createApp(router({ ...record, careless: router({ ...careless, ...worse }) }));
}
