import { startTestDatabase } from "@repo/dev/test-database";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Address of the tests' database as its owner. */
    owner: string;
    /** The same as app_direct, through the local Hyperdrive. */
    direct: string;
    /** What stands behind them: `postgres`, or PGlite. */
    kind: string;
  }
}

/** Starts a migrated database for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { owner, direct, stop } = await startTestDatabase();
  project.provide("owner", owner);
  project.provide("direct", direct);
  project.provide("kind", process.env.TEST_DATABASE ?? "pglite");
  return stop;
}
