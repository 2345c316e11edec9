import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { complaints, copyTree } from "./copy.ts";
import { type Finding, readText, report } from "./project.ts";

const page = "CONTRIBUTING.md";

/** The files that the page prints: a path in backticks, a sentence, a block of code. */
const files = /`((?:api|db)\/[\w./-]+\.ts)`:[^\n]*(?:\n[^\n`]+)*\n\n```ts fragment\n([\s\S]*?)```/g;

/** The lines that it adds to a registry: Add `line` to `file`, also across line breaks. */
const lines = /`(export [^`]+;)`\s+to\s+`([^`]+)`/g;

const text = readText(page);
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
    file: page,
    problem: `the recipe does not compile: ${line}`,
    mend: "correct the block that prints this file.",
  }));
  if (count === 0) findings.push({ file: page, problem: "prints no recipe", mend: "show how to add a domain." });
  report("recipe", findings, `${count} files of the recipe in ${page}`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
