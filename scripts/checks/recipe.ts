import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { complaints, copyTree } from "./copy.ts";
import { type Finding, listFiles, readText, report } from "./project.ts";

const pages = ["CONTRIBUTING.md", ...listFiles("docs/**/*.md")];

/** The files that a page prints: a path in backticks, a sentence, a block of code. */
const files = /`((?:api|db)\/[\w./-]+\.ts)`:[^\n]*(?:\n[^\n`]+)*\n\n```ts fragment\n([\s\S]*?)```/g;

/** The lines that a page adds to a registry: Add `line` to `file`, also across line breaks. */
const lines = /`(export [^`]+;)`\s+to\s+`([^`]+)`/g;

const text = pages.map(readText).join("\n\n");
const copy = copyTree();
try {
  const before = await complaints(copy);
  let count = 0;
  for (const [, path = "", code = ""] of text.matchAll(files)) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), code);
    count += 1;
  }
  for (const [, line, path = ""] of text.matchAll(lines)) appendFileSync(join(copy, path), `${line}\n`);
  const broken = (await complaints(copy)).filter((line) => !before.includes(line));
  const findings: Finding[] = broken.map((line) => ({
    file: pages.find((page) => readText(page).includes(`\`${line.replace(/\(.*$/s, "")}\``)) ?? "CONTRIBUTING.md",
    problem: `the recipe does not compile: ${line}`,
    mend: "correct the block that prints this file.",
  }));
  if (count === 0)
    findings.push({ file: "CONTRIBUTING.md", problem: "prints no recipe", mend: "show how to add a domain." });
  report("recipe", findings, `${count} files that the pages print`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
