import { resolve } from "node:path";
import { Refusal } from "@repo/db/scripts/cli";
import { rootFolder } from "@repo/db/scripts/paths";
import type { DoorPorts } from "./lock.ts";

/** Every user's password at the local Hyperdrive, which listens on loopback alone. */
export const localPassword = "local";

/** Name of the database, as the local Hyperdrive shows it. */
export const databaseName = "fairlead";

/** Folder of the embedded database: PGLITE_DIR, from the root of the repository. */
export function pgliteFolder(): string {
  return resolve(rootFolder, process.env.PGLITE_DIR || "db/.pglite");
}

/** Where the worker's local buckets, queues and caches stay: beside the database that they belong to. */
export function workerFolder(): string {
  return `${pgliteFolder()}.worker`;
}

/** Ports of `bun dev`. */
export interface DevPorts {
  api: number;
  doors: DoorPorts;
  /** The local Hyperdrive's HTTP face. */
  control: number;
}

/**
 * PORT of the API, and the four after it: the database's doors and the local Hyperdrive's HTTP face.
 * @throws Refusal when PORT is no port or leaves no room for the four.
 */
export function readPorts(text: string | undefined = process.env.PORT): DevPorts {
  const api = Number(text || 8787);
  if (!Number.isInteger(api) || api < 1 || api > 65_531) {
    throw new Refusal(`PORT is "${text}": it must be a number from 1 to 65531; the four ports after it are used too.`);
  }
  return { api, doors: { cached: api + 1, direct: api + 2, origin: api + 3 }, control: api + 4 };
}
