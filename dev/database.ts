import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, relative } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describeUrl, type Target } from "@repo/db/scripts/env";
import { ownerRole } from "@repo/db/scripts/owner";
import { rootFolder } from "@repo/db/scripts/paths";
import { type DoorUrls, doorsAt } from "./doors.ts";
import { startEmbedded } from "./embedded.ts";
import { findHolder, lockFileOf, takeLock } from "./lock.ts";
import { ensureLogins, startOnPostgres } from "./outer-postgres.ts";
import { pgliteFolder } from "./settings.ts";

const longestWaitMs = 30_000;

/** The database of a command, and how to leave it. */
export interface OpenDatabase {
  /** Address as the schema's owner. */
  owner: string;
  /** Where it is, for people; no password. */
  description: string;
  close(): Promise<void>;
}

/**
 * The target's database for one command: the Postgres of DATABASE_URL; else the embedded one, through a running
 * `bun dev` or started for as long as the command runs.
 * @throws Refusal when the embedded one is in use by a process that does not serve it.
 */
export async function openDatabase({ databaseUrl }: Target): Promise<OpenDatabase> {
  if (databaseUrl) return { owner: databaseUrl, description: describeUrl(databaseUrl), close: async () => {} };
  return openEmbedded();
}

/** Whether there is an embedded database yet; opening would make one. */
export function hasEmbedded(): boolean {
  return existsSync(pgliteFolder());
}

/** The same with the worker's two doors, for what runs the worker's code. */
export async function openDoors({ databaseUrl }: Target): Promise<DoorUrls & OpenDatabase> {
  if (!databaseUrl) return openEmbedded();
  await ensureLogins(databaseUrl);
  return { ...(await startOnPostgres(databaseUrl)), description: describeUrl(databaseUrl) };
}

/** A way to the target's database without TLS, for a tool that speaks none: `owner` itself where that starts on this machine. */
export async function openTunnel(
  { databaseUrl }: Target,
  owner: string,
): Promise<{ url: string; close(): Promise<void> }> {
  if (!databaseUrl) return { url: owner, close: async () => {} };
  const doors = await startOnPostgres(databaseUrl);
  return { url: doors.owner, close: doors.close };
}

async function openEmbedded(): Promise<DoorUrls & OpenDatabase> {
  const folder = pgliteFolder();
  const inside = relative(rootFolder, folder);
  const description = inside.startsWith("..") ? folder : inside;
  const served = await findServed(lockFileOf(folder));
  if (served) return { ...served, description: `${description} (through bun dev)`, close: async () => {} };
  return { ...(await startEmbedded({ folder })), description };
}

/** The doors of a running `bun dev`; a starting one, or another command, is waited for. */
async function findServed(lockFile: string): Promise<DoorUrls | undefined> {
  for (const started = Date.now(); Date.now() - started < longestWaitMs; await wait(100)) {
    const holder = findHolder(lockFile);
    if (!holder) return undefined;
    if (holder.role === "dev" && holder.ports) return doorsAt(holder.ports, ownerRole);
  }
  return undefined;
}

/** Removes the embedded database's folder, unless a running `bun dev` serves it. Returns whether it is gone. */
export async function removeEmbedded(): Promise<boolean> {
  const folder = pgliteFolder();
  if (await findServed(lockFileOf(folder))) return false;
  mkdirSync(dirname(folder), { recursive: true });
  const lock = await takeLock(lockFileOf(folder), "command");
  rmSync(folder, { recursive: true, force: true });
  lock.release();
  return true;
}
