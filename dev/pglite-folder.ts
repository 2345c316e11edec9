import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Refusal } from "@repo/db/scripts/cli";
import { type Holder, type Lock, lockFileOf, takeLock } from "./lock.ts";

interface FolderOptions {
  /** What the lock file says of this process. */
  role: Holder["role"];
  /** What names another folder, for whoever is refused this one. */
  elsewhere?: string;
}

/**
 * Opens the PGlite in a folder and locks the folder: release the lock once the PGlite is closed. What a killed process
 * left behind is recovered.
 * @throws Refusal when the folder is in use, unreadable or somebody's who keeps other things there.
 */
export async function openFolder(folder: string, options: FolderOptions): Promise<{ pglite: PGlite; lock: Lock }> {
  const { role, elsewhere = "set PGLITE_DIR to another folder" } = options;
  let lock: Lock | undefined;
  try {
    mkdirSync(dirname(folder), { recursive: true });
    lock = await takeLock(lockFileOf(folder), role, elsewhere);
    return { pglite: await open(folder, elsewhere), lock };
  } catch (error) {
    lock?.release();
    if (error instanceof Refusal) throw error;
    const reason = String(error instanceof Error ? error.message : error).split("\n")[0];
    throw new Refusal(`${folder} cannot be opened (${reason}): remove it, or ${elsewhere}.`);
  }
}

async function open(folder: string, elsewhere: string): Promise<PGlite> {
  // Stands only while the folder is being made: a half-made one holds nothing worth keeping.
  const unfinished = `${folder}.unfinished`;
  if (existsSync(unfinished)) rmSync(folder, { recursive: true, force: true });
  const isNew = !existsSync(folder);
  if (isNew) writeFileSync(unfinished, "");
  else refuseOtherThings(folder, elsewhere);
  const pglite = await PGlite.create(folder);
  if (isNew) rmSync(unfinished);
  return pglite;
}

/** PGlite would strew its files among them. */
function refuseOtherThings(folder: string, elsewhere: string): void {
  const isFolder = statSync(folder).isDirectory();
  if (isFolder && (readdirSync(folder).length === 0 || existsSync(join(folder, "PG_VERSION")))) return;
  throw new Refusal(`${folder} is ${isFolder ? "a folder with other things" : "a file"}, no database: ${elsewhere}.`);
}
