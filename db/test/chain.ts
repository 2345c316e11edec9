import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const breakpoint = "\n--> statement-breakpoint\n";

/** A folder of migrations: for each its name and its statements, the first of which may be a comment. */
export function chainOf(files: Record<string, string[]>): string {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-chain-"));
  mkdirSync(join(folder, "meta"));
  const entries = Object.entries(files).map(([name, statements], idx) => {
    const tag = `2026010100000${idx}_${name}`;
    writeFileSync(join(folder, `${tag}.sql`), statements.join(breakpoint));
    return { idx, version: "7", when: Date.UTC(2026, 0, 1) + idx * 1000, tag, breakpoints: true };
  });
  writeFileSync(
    join(folder, "meta/_journal.json"),
    JSON.stringify({ version: "7", dialect: "postgresql", entries }, null, 2),
  );
  return folder;
}
