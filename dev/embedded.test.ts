import { mkdirSync, writeFileSync } from "node:fs";
import { type SQL, sql } from "@repo/db";
import { connect } from "@repo/db/client";
import { expect, test } from "vitest";
import { startEmbedded } from "./embedded.ts";
import { newFolder, run } from "./test/programs.ts";

async function query(url: string, statement: SQL): Promise<unknown[]> {
  const { db, close } = connect(url);
  try {
    return [...(await db.execute(statement))];
  } finally {
    await close();
  }
}

test("what was committed before a SIGKILL is there afterwards", async () => {
  const folder = newFolder();
  const source = `import { startEmbedded } from "${new URL("embedded.ts", import.meta.url).href}";
    import postgres from "postgres";
    const { owner } = await startEmbedded({ folder: "${folder}" });
    const client = postgres(owner);
    await client.unsafe("create table note (id int)");
    for (let id = 1; ; id++) {
      await client.unsafe("insert into note values (" + id + ")");
      if (id === 200) console.log("written");
    }`;
  const writer = run(["--input-type=module-typescript", "-e", source]);
  await writer.says(/written/);
  writer.child.kill("SIGKILL");
  await writer.ended;
  const database = await startEmbedded({ folder });
  const [row] = await query(database.owner, sql`select count(*)::int >= 200 as kept from note`);
  expect(row).toEqual({ kept: true });
  await database.close();
});

test("a folder whose making was cut short is made anew", async () => {
  const folder = newFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/PG_VERSION`, "18\n");
  writeFileSync(`${folder}.unfinished`, "");
  const database = await startEmbedded({ folder });
  expect(await query(database.owner, sql`select 1 as one`)).toEqual([{ one: 1 }]);
  await database.close();
});

test("the owner is no superuser, and may make roles and pass row-level security", async () => {
  const database = await startEmbedded({});
  const rows = await query(
    database.owner,
    sql`select rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls from pg_roles where rolname = current_user`,
  );
  expect(rows).toEqual([
    { rolname: "fairlead_owner", rolsuper: false, rolcreaterole: true, rolcreatedb: true, rolbypassrls: true },
  ]);
  await database.close();
});
