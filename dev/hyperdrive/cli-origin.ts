import { resolve } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Refusal } from "@repo/db/scripts/cli";
import { openFolder } from "../pglite-folder.ts";
import { createPgliteOrigin, createPostgresOrigin, type Origin } from "./index.ts";
import { readAddress } from "./origins/postgres-address.ts";

interface Opened {
  origin: Origin;
  /** Name of the database, as a part of a URL. */
  database: string;
  close(): Promise<void>;
}

/** Opens what `--origin` names. @throws Refusal in one line, mend included. */
export async function openOrigin(url: string | undefined, passwords: Record<string, string>): Promise<Opened> {
  if (url === undefined) throw new Refusal("Which database? --origin postgres://user:password@host:5432/database");
  if (!url.startsWith("pglite:")) return openPostgres(url, passwords);
  const folder = url.slice("pglite:".length);
  if (folder.startsWith("//"))
    throw new Refusal("--origin takes a PGlite's folder right behind the colon: pglite:data");
  const { pglite, lock } = folder === "" ? { pglite: await PGlite.create() } : await lockFolder(folder);
  const origin = createPgliteOrigin(pglite);
  return {
    origin,
    database: "postgres",
    async close() {
      await origin.close();
      await pglite.close();
      lock?.release();
    },
  };
}

function lockFolder(folder: string) {
  return openFolder(resolve(folder), { role: "command", elsewhere: "name another folder after pglite:" });
}

function openPostgres(url: string, passwords: Record<string, string>): Opened {
  if (!/^postgres(?:ql)?:/.test(url)) throw new Refusal("--origin must begin with postgres:// or pglite:");
  try {
    const origin = createPostgresOrigin(url, { passwords });
    return { origin, database: encodeURIComponent(readAddress(url).database), close: () => origin.close() };
  } catch (error) {
    throw new Refusal(error instanceof Error ? error.message : String(error));
  }
}

/** Says on stderr that the origin is out of reach. Clients hear of it too, but only from their first statement on. */
export async function tellWhenAway(origin: Origin): Promise<void> {
  try {
    if (origin.single) return;
    const connect = await origin.open(origin.owner);
    connect({ received: () => {}, drained: () => {}, gone: () => {} }).end();
  } catch (error) {
    console.error(`The origin cannot be used at the moment: ${error instanceof Error ? error.message : error}`);
  }
}
