import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { complaints, copyTree } from "./copy.ts";
import { importsOf } from "./imports.ts";
import { type Finding, foundations, listFiles, report, root } from "./project.ts";

/** Lists with one line per domain; a line goes when its domain goes. */
const registries = [
  ...listFiles("api/modules/*.ts"),
  ...listFiles(["db/schema/index.ts", "db/isolation/index.ts", "db/seeds/index.ts", "db/zod.ts"]),
];

function moduleNames(): string[] {
  const folder = join(root, "api/modules");
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

/** The domain that a file belongs to, by its path. */
function domainOf(file: string): string | undefined {
  return file.match(/^(?:api\/modules|db\/schema|db\/isolation|db\/seeds|db\/zod)\/([^/.]+)(?:\.|\/)/)?.[1];
}

/** Domains that another one imports: they cannot go alone. */
function importedDomains(names: string[]): Set<string> {
  const files = listFiles([
    "api/modules/*/**/*.{ts,tsx}",
    "db/schema/*.ts",
    "db/isolation/*.ts",
    "db/seeds/*.ts",
    "db/zod/*.ts",
  ]);
  const pairs = files.flatMap(importsOf).map(({ from, to }) => [domainOf(from), domainOf(to ?? "")] as const);
  const imported = pairs.flatMap(([from, to]) => (from && to && from !== to && from !== "index" ? [to] : []));
  return new Set(imported.filter((name) => names.includes(name)));
}

/** Takes a domain out of the copy; returns what puts it back. */
function removeDomain(copy: string, name: string): () => void {
  const taken = [
    `api/modules/${name}`,
    ...["schema", "isolation", "seeds", "zod"].map((folder) => `db/${folder}/${name}.ts`),
  ];
  const gone = taken.filter((path) => existsSync(join(copy, path)));
  for (const path of gone) rmSync(join(copy, path), { recursive: true });
  for (const path of registries) {
    const lines = readFileSync(join(copy, path), "utf8").split("\n");
    const mentions = new RegExp(`"\\./(schema/|zod/)?${name}[./]`);
    const kept = lines.filter((line) => !mentions.test(line));
    writeFileSync(join(copy, path), kept.join("\n"));
  }
  return () => {
    for (const path of [...gone, ...registries]) cpSync(join(root, path), join(copy, path), { recursive: true });
  };
}

/** Tests outside the domains may take one as their example; whoever deletes that one gives them another. */
const testsOfTheRest = /^(?!api\/modules\/)[^(]*\.test\.tsx?\(|^api\/test\//;

async function findingsWithout(copy: string, name: string, before: string[]): Promise<Finding[]> {
  const putBack = removeDomain(copy, name);
  const all = (await complaints(copy)).filter((line) => !before.includes(line));
  putBack();
  const broken = all.filter((line) => !testsOfTheRest.test(line));
  const tests = new Set(all.filter((line) => testsOfTheRest.test(line)).map((line) => line.replace(/\(.*$/s, "")));
  if (tests.size > 0) console.log(`removal: ${name} is the example in ${[...tests].join(", ")}`);
  return broken.slice(0, 5).map((line) => ({
    file: line.replace(/\(.*$/s, ""),
    problem: `does not compile once ${name} is deleted: ${line.replace(/^.*?error /, "")}`,
    mend: `whatever needs ${name} belongs into its own folder, or a file of its name in db/schema, db/isolation, db/zod or db/seeds.`,
  }));
}

const names = moduleNames();
const imported = importedDomains(names);
const removable = names.filter((name) => !imported.has(name) && !foundations.includes(name));
const copy = copyTree();
try {
  const before = await complaints(copy);
  if (before.length > 0) console.log(`removal: the tree itself has ${before.length} type errors, which are left aside`);
  const findings: Finding[] = [];
  for (const name of removable) findings.push(...(await findingsWithout(copy, name, before)));
  report("removal", findings, `deleted in turn: ${removable.join(", ")}`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
