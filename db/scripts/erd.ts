import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Refusal, runCommand } from "./cli.ts";
import { toMermaid } from "./erd/mermaid.ts";
import { modelOf } from "./erd/model.ts";
import { toSvg } from "./erd/svg.ts";
import { dbFolder, rootFolder } from "./paths.ts";

const usage = `bun db:erd [--check]

Draws the tables of every domain from db/schema into docs/schema: Mermaid, and an SVG beside it.
  --check  writes nothing; exit code 1 when a drawing is missing, out of date or left over`;

const folder = join(rootFolder, "docs/schema");

/** The files of docs/schema as they should be, by name. */
export async function drawSchema(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const drawn: string[] = [];
  for (const file of readdirSync(join(dbFolder, "schema")).sort()) {
    const domain = file.replace(/\.ts$/, "");
    if (domain === "index") continue;
    const model = modelOf(await import(pathToFileURL(join(dbFolder, "schema", file)).href));
    if (model.tables.length === 0) continue;
    const mermaid = toMermaid(model);
    files.set(`${domain}.mmd`, `${mermaid}\n`);
    files.set(`${domain}.svg`, await toSvg(model, `Tables of ${domain}`));
    drawn.push(
      `## ${title(domain)}\n\n![Tables of ${domain}](${domain}.svg)\n\n[Mermaid](${domain}.mmd), made from \`db/schema/${file}\`.\n`,
    );
  }
  files.set("README.md", [head, ...drawn].join("\n"));
  return files;
}

function title(domain: string): string {
  return domain.charAt(0).toUpperCase() + domain.slice(1).replaceAll("-", " ");
}

const head = `---
created: 2026-11-21
updated: 2026-11-21
status: current
type: reference
---

# Schema

Drawn from \`db/schema\` by \`bun db:erd\`; don't edit these files. Each domain shows its own tables, and in grey those of
other domains to which it refers. PK is the primary key, FK a foreign key, UK a unique column; \`?\` a column that may be
null. A line leads from the table referred to, with a bar for one and a ring for none, to the one that refers, with a crow's
foot for many.
`;

async function run(isCheck: boolean): Promise<void> {
  const files = await drawSchema();
  const present = existsSync(folder) ? readdirSync(folder) : [];
  const leftOver = present.filter((name) => !files.has(name));
  const stale = [...files].filter(
    ([name, text]) => !present.includes(name) || readFileSync(join(folder, name), "utf8") !== text,
  );
  if (isCheck) {
    const names = [...leftOver, ...stale.map(([name]) => name)];
    if (names.length > 0) throw new Refusal(`docs/schema is out of date (${names.join(", ")}): run db:erd.`);
    console.log(`docs/schema is current (${files.size} files)`);
    return;
  }
  mkdirSync(folder, { recursive: true });
  for (const name of leftOver) rmSync(join(folder, name));
  for (const [name, text] of stale) writeFileSync(join(folder, name), text);
  console.log(
    `docs/schema: ${stale.length} written, ${leftOver.length} removed, ${files.size - stale.length} as they were`,
  );
}

if (import.meta.main) {
  await runCommand({ usage, options: { check: { type: "boolean", default: false } }, run: ({ check }) => run(check) });
}
