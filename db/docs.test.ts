import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { startTestDatabase } from "@repo/dev/test-database";
import { createTableRelationsHelpers, extractTablesRelationalConfig } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { schema } from "./index.ts";
import { variablesWith } from "./scripts/env.ts";
import { dbFolder, rootFolder } from "./scripts/paths.ts";
import { seedDatabase } from "./scripts/seed.ts";

interface Example {
  place: string;
  code: string;
  /** What stands below it; undefined: nothing. */
  prints: string | undefined;
}

const page = "docs/database.md";

function examplesOf(file: string): Example[] {
  const text = readFileSync(join(rootFolder, file), "utf8");
  const blocks = text.matchAll(/^```ts\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```)?/gm);
  return [...blocks].map(({ 1: code = "", 2: prints, index }) => ({
    place: `${file}:${text.slice(0, index).split("\n").length}`,
    code,
    prints,
  }));
}

// In this folder, so that packages are found as from any script of ours.
const folder = mkdtempSync(join(dbFolder, ".docs-check-"));
let database: Awaited<ReturnType<typeof startTestDatabase>>;

beforeAll(async () => {
  database = await startTestDatabase();
  await seedDatabase(database.owner);
}, 60_000);
afterAll(async () => {
  await database.stop();
  rmSync(folder, { recursive: true });
});

const examples = examplesOf(page);

test("the page has examples that print", () => {
  expect(examples.filter(({ prints }) => prints !== undefined).length).toBeGreaterThan(8);
});

test("the relations have the names that the page gives them", () => {
  const { tables } = extractTablesRelationalConfig(schema, createTableRelationsHelpers);
  const section = readFileSync(join(rootFolder, page), "utf8").split("### With relations")[1]?.split("```")[0] ?? "";
  const rows = [...section.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)];
  expect(rows.length).toBeGreaterThan(8);
  for (const [, table = "", names = ""] of rows) {
    const known = Object.keys(tables[table]?.relations ?? {}).map((name) => `\`${name}\``);
    expect(names.split(", ").sort(), table).toEqual(known.sort());
  }
});

// In their order: what one inserts, a later one updates.
test.each(examples)("$place does what it says", async ({ place, code, prints }) => {
  const file = join(folder, `${place.replaceAll(/\W/g, "-")}.ts`);
  writeFileSync(file, code);
  const env = variablesWith({ DATABASE_URL: database.owner });
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { env, cwd: rootFolder });
  expect(stderr).toBe("");
  expect(stdout).toBe(prints ?? "");
});
