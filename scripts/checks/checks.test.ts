import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

type Tree = Record<string, string>;

/** Runs a check over a small tree of files; what it said, and whether it was content. */
function runCheck(check: string, tree: Tree): { ok: boolean; said: string } {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-check-"));
  try {
    for (const [path, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    symlinkSync(join(import.meta.dirname, "../../node_modules"), join(folder, "node_modules"));
    const program = join(import.meta.dirname, `${check}.ts`);
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, folder], { encoding: "utf8" });
    return { ok: status === 0, said: `${stdout}${stderr}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function complains(check: string, tree: Tree, of: RegExp): void {
  const { ok, said } = runCheck(check, tree);
  assert.match(said, of);
  assert.equal(ok, false);
}

function isContent(check: string, tree: Tree): void {
  const { ok, said } = runCheck(check, tree);
  assert.equal(ok, true, said);
}

const boundaries: [string, string, string, RegExp][] = [
  ["core imports a module", "api/core/a.ts", "../modules/resumes/index.ts", /a\.ts:1: api\/core imports api\/modules/],
  ["a type counts as well", "api/core/a.ts", "../modules/resumes/queries.ts", /reaches into the module resumes/],
  ["a module past another's face", "api/modules/blog/a.ts", "../resumes/queries.ts", /reaches into the module resumes/],
  ["a foundation imports a domain", "api/modules/identity/a.ts", "../resumes/index.ts", /identity, a foundation/],
  ["a module imports the registry", "api/modules/blog/a.ts", "../registry.ts", /imports every module/],
  ["asService in a service", "api/modules/blog/service.ts", "../../core/database/service.ts", /imports asService/],
  ["db imports the API", "db/a.ts", "@repo/api/core/env", /db imports api\/core\/env\.ts/],
  ["a schema file imports the barrel", "db/schema/blog.ts", "./index.ts", /a schema file imports db\/schema\/index/],
  ["a schema file leaves its folder", "db/schema/blog.ts", "@repo/db", /a schema file imports db\/index/],
  ["a package by its path", "api/core/a.ts", "../../db/index.ts", /crosses into another package/],
];

for (const [name, file, specifier, complaint] of boundaries) {
  test(`boundaries: ${name}`, () => {
    complains("boundaries", { [file]: `import type { X } from "${specifier}";\n` }, complaint);
  });
}

test("boundaries: what is allowed passes", () => {
  isContent("boundaries", {
    "api/core/a.ts": 'import { b } from "./b.ts";\n',
    "api/modules/blog/jobs.ts": 'import { asService } from "../../core/database/service.ts";\n',
    "api/modules/blog/blog.test.ts": 'import { asService } from "../../core/database/service.ts";\n',
    "api/modules/blog/service.ts": 'import { identity } from "../identity/index.ts";\nimport "@repo/db";\n',
    "db/schema/blog.ts": 'import { user } from "./identity.ts";\n',
  });
});

const schema = 'export const page = pgTable("page", { id: idColumn("page"), ...softDelete() });\n';

const softDelete: [string, string, boolean][] = [
  ["a bare read", "tx.select().from(page).where(eq(page.id, id))", false],
  ["a read of live rows", "tx.select().from(page).where(and(eq(page.id, id), notDeleted(page)))", true],
  ["a read of all rows", "tx.select().from(page).where(withDeleted(page))", true],
  ["a bare join", "tx.select().from(other).innerJoin(page, eq(page.id, other.pageId))", false],
  ["a join on live rows", "tx.select().from(other).innerJoin(page, and(eq(1, 1), notDeleted(page)))", true],
  ["a filter for another read", "[tx.select().from(page), tx.select().from(page).where(notDeleted(page))]", false],
  ["a bare relational query", "tx.query.page.findFirst({ where: eq(page.id, id) })", false],
  ["a bare count", "tx.$count(page)", false],
  ["a count of live rows", "tx.$count(page, notDeleted(page))", true],
  ["bare SQL", "sql`select count(*) from ${page}`", false],
  ["SQL over live rows", "sql`select count(*) from ${page} where ${notDeleted(page)}`", true],
  ["a filter by name", "tx.select().from(page).where(live(id))", true],
  ["a bare alias", "tx.select().from(parent).where(notDeleted(page))", false],
  ["an alias's live rows", "tx.select().from(parent).where(notDeleted(parent))", true],
];

for (const [name, expression, ok] of softDelete) {
  test(`soft delete: ${name}`, () => {
    const code = `const parent = alias(page, "parent");\nexport const read = (tx, id) => ${expression};\n`;
    const tree = {
      "db/schema/blog.ts": schema,
      "api/modules/blog/queries.ts":
        "export function live(id) {\n  return and(eq(page.id, id), notDeleted(page));\n}\n",
      "api/modules/blog/service/read.ts": code,
    };
    if (ok) isContent("soft-delete", tree);
    else complains("soft-delete", tree, /read\.ts:2: reads (page|parent), which has soft delete/);
  });
}

const frontMatter = "---\ncreated: 2026-01-01\nupdated: 2026-01-01\nstatus: current\ntype: guide\n---\n";
const pages: [string, string, RegExp][] = [
  ["no front matter", "# A\n", /a\.md:1: no front matter/],
  ["a dead link", `${frontMatter}[x](missing.md)\n`, /a\.md:7: dead link: missing\.md/],
  ["a dead anchor", `${frontMatter}[x](README.md#nowhere)\n`, /no heading #nowhere in docs\/README\.md/],
  ["a file that is gone", `${frontMatter}See \`api/core/gone.ts\`.\n`, /no such file: api\/core\/gone\.ts/],
  ["a command that is gone", `${frontMatter}Run \`bun db:gone\`.\n`, /no such command: bun db:gone/],
  [
    "code that does not compile",
    `${frontMatter}\`\`\`ts\nconst x: string = 1;\n\`\`\`\n`,
    /a\.md:8: code does not compile/,
  ],
];

for (const [name, text, complaint] of pages) {
  test(`docs: ${name}`, () => {
    complains("docs", { ...docsTree, "docs/a.md": text }, complaint);
  });
}

const docsTree: Tree = {
  "package.json": '{ "scripts": { "dev": "x" } }',
  "api/tsconfig.json": '{ "compilerOptions": { "strict": true, "allowImportingTsExtensions": true, "noEmit": true } }',
  "docs/README.md": `${frontMatter}# Index\n\n[A](a.md)\n`,
};

test("docs: a true page passes", () => {
  const text = `${frontMatter}# A\n\n[index](README.md#index), \`bun dev\`, \`docs/a.md\`\n\n\`\`\`ts\nconst x = 1;\n\`\`\`\n`;
  isContent("docs", { ...docsTree, "docs/a.md": text });
});

const workspace = (folder: string): Tree => ({
  [`${folder}/tsconfig.json`]:
    '{ "compilerOptions": { "allowImportingTsExtensions": true, "noEmit": true, "types": [] } }',
  [`${folder}/none.ts`]: "export {};\n",
});
const removable: Tree = {
  "tsconfig.json": "{}",
  "package.json": "{}",
  ...workspace("api"),
  ...workspace("db"),
  ...workspace("dev"),
  "api/modules/index.ts": 'export { blog } from "./blog/index.ts";\nexport { shop } from "./shop/index.ts";\n',
  "api/modules/blog/index.ts": "export const blog = 1;\n",
  "api/modules/shop/index.ts": "export const shop = 1;\n",
  "db/schema/index.ts": 'export * from "./blog.ts";\n',
  "db/schema/blog.ts": "export const post = 1;\n",
};

test("removal: domains that stand alone pass", () => {
  isContent("removal", removable);
});

test("removal: a hidden dependence is named", () => {
  const hidden = 'import { post } from "../../../db/schema/index.ts";\nexport const shop = post;\n';
  complains(
    "removal",
    { ...removable, "api/modules/shop/index.ts": hidden },
    /shop\/index\.ts: does not compile once blog/,
  );
});
