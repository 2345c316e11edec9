import { app } from "./app.ts";
import type { Runtime } from "./core/context.ts";
import { core } from "./core/cron.ts";
import { getEnv } from "./core/env.ts";
import { type JobMessage, runBatch } from "./core/jobs.ts";
import { modules } from "./modules/registry.ts";

function runtimeOf(bindings: object, context: ExecutionContext): Runtime {
  return {
    env: getEnv(bindings),
    requestId: crypto.randomUUID(),
    waitUntil: (promise) => context.waitUntil(promise),
  };
}

export default {
  fetch: app.fetch,
  async queue(batch, bindings, context) {
    const jobs = modules.flatMap((module) => module.jobs ?? []);
    await runBatch(jobs, batch, runtimeOf(bindings, context));
  },
  async scheduled({ cron }, bindings, context) {
    for (const { crons } of [core, ...modules]) await crons?.[cron]?.(runtimeOf(bindings, context));
  },
} satisfies ExportedHandler<Cloudflare.Env, JobMessage>;
