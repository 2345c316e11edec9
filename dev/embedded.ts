import { PGlite } from "@electric-sql/pglite";
import { ownerRole, ownerSql } from "@repo/db/scripts/owner";
import { type Doors, doorsAt } from "./doors.ts";
import { createPgliteOrigin, type InstrumentOptions, startHyperdrive } from "./hyperdrive/index.ts";
import type { DoorPorts, Holder } from "./lock.ts";
import { openFolder } from "./pglite-folder.ts";
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
  const { pglite, lock } = await openFolder(folder, { role });
  try {
    const doors = await serve(pglite, options);
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
