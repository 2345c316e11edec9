import { join } from "node:path";
import { rootFolder } from "@repo/db/scripts/paths";
import type { DoorUrls } from "./doors.ts";
import { workerFolder } from "./settings.ts";
import { wranglerVariables } from "./wrangler.ts";

export interface Platform {
  /** The worker's bindings and settings, as wrangler.toml and .dev.vars have them. */
  env: Record<string, unknown>;
  /** What was sent to the queue JOBS. */
  queued: unknown[];
  dispose(): Promise<void>;
}

/** The worker's bindings in this process, by wrangler's getPlatformProxy; buckets are those of `bun dev`. */
export async function openPlatform(doors: DoorUrls): Promise<Platform> {
  Object.assign(process.env, wranglerVariables(doors), { WRANGLER_LOG: "error" });
  // Loading wrangler takes half a second, and reads these variables.
  const { getPlatformProxy } = await import("wrangler");
  const { env, dispose } = await getPlatformProxy<Record<string, unknown>>({
    configPath: join(rootFolder, "wrangler.toml"),
    persist: { path: join(workerFolder(), "v3") },
  });
  const queued: unknown[] = [];
  // Wrangler's queue has no consumer here: what is queued runs after the call.
  const queue = {
    send: async (body: unknown) => void queued.push(body),
    sendBatch: async (messages: Iterable<{ body: unknown }>) =>
      void queued.push(...[...messages].map(({ body }) => body)),
  };
  return { env: { ...env, JOBS: queue }, queued, dispose };
}
