import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Catalogue, readCatalogue } from "./catalogue.ts";
import { catalogueSql } from "./catalogue-sql.ts";
import { type AccessState, accessSql, readAccess } from "./grants.ts";
import type { Migration } from "./migrations.ts";
import { rootFolder } from "./paths.ts";
import { migratedScratch, queryOf } from "./scratch.ts";

/** What a chain of migrations makes of an empty database. */
export interface Expected {
  catalogue: Catalogue;
  access: AccessState;
}

const cacheFolder = join(rootFolder, "node_modules/.cache/fairlead-catalogue");

/** What these migrations make of an empty database: kept from the last time, or found by applying them to one. */
export async function expectedOf(migrations: Migration[], folder = cacheFolder): Promise<Expected> {
  const chain = [catalogueSql, accessSql, ...migrations.map(({ hash }) => hash)];
  const key = createHash("sha256").update(chain.join("\n")).digest("hex").slice(0, 32);
  const path = join(folder, `${key}.json`);
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8"));
  const scratch = await migratedScratch(migrations);
  try {
    const query = queryOf(scratch);
    const expected = { catalogue: await readCatalogue(query), access: await readAccess(query) };
    mkdirSync(folder, { recursive: true });
    // Others never read a half.
    writeFileSync(`${path}.${process.pid}`, JSON.stringify(expected));
    renameSync(`${path}.${process.pid}`, path);
    return expected;
  } finally {
    await scratch.close();
  }
}
