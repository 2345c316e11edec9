import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    cached: string;
    direct: string;
    owner: string;
    superuser: string;
    control: string;
    hyperdrive: string;
  }
}

const program = join(import.meta.dirname, "../../dev/test-database.ts");

/**
 * Starts a migrated database for the whole run and hands its addresses to the worker's bindings. In a process of its
 * own, since here packages resolve as in a worker.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(server.stdout);
  const [line] = await Promise.race([once(lines, "line"), once(server, "exit").then(() => ["{}"])]);
  const addresses = JSON.parse(String(line));
  if (!addresses.owner) throw new Error("the test database did not start; its message is above");
  for (const name of ["cached", "direct", "owner", "superuser", "control", "hyperdrive"] as const)
    project.provide(name, addresses[name]);
  return async () => {
    server.stdin.end();
    await once(server, "exit");
  };
}
