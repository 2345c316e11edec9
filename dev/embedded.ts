import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Refusal } from "@repo/db/scripts/cli";
import { ownerRole, ownerSql } from "@repo/db/scripts/owner";
import { type Doors, doorsAt } from "./doors.ts";
import { createPgliteOrigin, type InstrumentOptions, startHyperdrive } from "./hyperdrive/index.ts";
import { type DoorPorts, type Holder, lockFileOf, takeLock } from "./lock.ts";
import { localPassword } from "./settings.ts";

interface EmbeddedOptions {
  /** Folder of the data; absent: in memory. */
  folder?: string;
  /** Absent: any free ports. */
  ports?: DoorPorts;
  /** Cache, latency, faults and the HTTP face; absent: doors and pool alone. */
  instruments?: InstrumentOptions;
  /** What the lock file says of this process; default `command`. */
  role?: Holder["role"];
}

/**
 * Starts the embedded database, PGlite behind the local Hyperdrive, with the schema's owner in it. Its folder is
 * locked until `close()`; what a killed process left behind is recovered.
 * @throws Refusal when the folder is in use or unreadable.
 */
export async function startEmbedded({ folder, role = "command", ...options }: EmbeddedOptions): Promise<Doors> {
  if (!folder) return serve(await PGlite.create(), options);
  mkdirSync(dirname(folder), { recursive: true });
  const lock = await takeLock(lockFileOf(folder), role);
  try {
    const doors = await serve(await open(folder), options);
    lock.publish(doors.ports);
    return {
      ...doors,
      async close() {
        await doors.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function open(folder: string): Promise<PGlite> {
  // Stands only while the folder is being made: a half-made one holds nothing worth keeping.
  const unfinished = `${folder}.unfinished`;
  if (existsSync(unfinished)) rmSync(folder, { recursive: true, force: true });
  const isNew = !existsSync(folder);
  if (isNew) writeFileSync(unfinished, "");
  try {
    const pglite = await PGlite.create(folder);
    if (isNew) rmSync(unfinished);
    return pglite;
  } catch (error) {
    const reason = String(error instanceof Error ? error.message : error).split("\n")[0];
    throw new Refusal(`${folder} cannot be opened (${reason}): remove it, or set PGLITE_DIR to another folder.`);
  }
}

async function serve(
  pglite: PGlite,
  { ports, instruments }: Pick<EmbeddedOptions, "ports" | "instruments">,
): Promise<Doors> {
  try {
    await pglite.exec(ownerSql);
    const origin = createPgliteOrigin(pglite);
    const hyperdrive = await startHyperdrive({
      origin,
      ownerRole,
      password: localPassword,
      ...instruments,
      ...(ports ? { ports } : {}),
    });
    return {
      ...doorsAt(hyperdrive.ports, ownerRole),
      hyperdrive,
      async close() {
        await hyperdrive.close();
        await origin.close();
        await pglite.close();
      },
    };
  } catch (error) {
    await pglite.close();
    throw error;
  }
}
