import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const all = ["**/*.test.ts"];

/**
 * The test files of a folder for this run. A run on the real Postgres (`TEST_DATABASE=postgres`) takes those alone whose
 * database is the run's choice; the others start both kinds themselves, whatever the run.
 */
export function testFiles(folder: string): string[] {
  if (process.env.TEST_DATABASE !== "postgres") return all;
  const files = globSync(all, { cwd: folder, exclude: ["**/node_modules/**"] });
  return files.filter((file) => /\binject\(|\bstartTestDatabase\(\)/.test(readFileSync(join(folder, file), "utf8")));
}
