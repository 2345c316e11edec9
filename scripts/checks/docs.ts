import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, posix, relative } from "node:path";
import { type Finding, lineAt, listFiles, readText, report, root } from "./project.ts";

const keys = ["created", "updated", "status", "type"];
const statuses = ["current", "accepted", "superseded", "draft"];
const types = ["index", "guide", "reference", "explanation", "decision"];
/** Made by commands, so absent from a fresh clone. */
const madeLater = /^(db\/(backups|\.pglite)|\.dev\.vars$|node_modules|\.wrangler)/;

interface Page {
  file: string;
  text: string;
  /** The text without its fenced code. */
  prose: string;
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

function readPage(file: string): Page {
  const text = readText(file);
  return { file, text, prose: text.replace(/^```[\s\S]*?^```/gm, blank) };
}

function finding({ file, text }: Page, offset: number, [problem, mend]: [string, string]): Finding {
  return { file, line: lineAt(text, offset), problem, mend };
}

function frontMatterFindings(page: Page): Finding[] {
  const block = page.text.match(/^---\n([\s\S]*?)\n---\n/)?.[1];
  const mend = `start the file with --- and the keys ${keys.join(", ")}.`;
  if (block === undefined) return [finding(page, 0, ["no front matter", mend])];
  const values = new Map(
    block.split("\n").map((line) => [line.split(":")[0], line.slice(line.indexOf(":") + 1).trim()]),
  );
  const wrong: [string, string][] = [];
  for (const key of keys) if (!values.get(key)) wrong.push([`front matter lacks ${key}`, mend]);
  for (const key of ["created", "updated"]) {
    const date = values.get(key);
    if (date && !/^\d{4}-\d{2}-\d{2}$/.test(date))
      wrong.push([`${key} is no date: ${date}`, "write it as 2026-01-31."]);
  }
  const { status, type } = Object.fromEntries(values);
  if (status && !statuses.includes(status)) wrong.push([`status ${status}`, `use one of ${statuses.join(", ")}.`]);
  if (type && !types.includes(type)) wrong.push([`type ${type}`, `use one of ${types.join(", ")}.`]);
  return wrong.map((what) => finding(page, 0, what));
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#{1,6}\s+(.+)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replace(/\s/g, "-"),
    ),
  );
}

function linkFindings(page: Page): Finding[] {
  return [...page.prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(({ 1: link = "", index }) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page.file : posix.join(posix.dirname(page.file), path);
    if (!existsSync(join(root, target))) return [finding(page, index, [`dead link: ${link}`, "mend or remove it."])];
    if (!anchor || !target.endsWith(".md") || anchorsOf(readText(target)).has(anchor)) return [];
    return [finding(page, index, [`no heading #${anchor} in ${target}`, "name a heading that is there."])];
  });
}

/** Paths in backticks must exist, but for files that the page itself prints: a line that starts with "`path`:". */
function pathFindings(page: Page): Finding[] {
  const paths = /`((?:api|db|dev|docs|scripts|bench|examples|\.github|\.ci)\/[\w./-]*)`/g;
  return [...page.prose.matchAll(paths)].flatMap(({ 1: path = "", index }) => {
    const isPrinted = /^\n`[^`]+`:/.test(page.prose.slice(index - 1));
    if (existsSync(join(root, path)) || madeLater.test(path) || isPrinted) return [];
    return [finding(page, index, [`no such file: ${path}`, "name it as it is called now."])];
  });
}

/** Every `bun <script>` in code must be a script of the root package.json, or a command of bun itself. */
function commandFindings(page: Page, scripts: string[]): Finding[] {
  const known = new Set([...scripts, "install", "run", "test", "add"]);
  const segments = [...page.text.matchAll(/^```[\s\S]*?^```|`[^`\n]+`/gm)];
  return segments.flatMap((segment) =>
    [...segment[0].matchAll(/\bbun (?:run )?([^\s`'"]+)/g)].flatMap(({ 0: command, 1: name = "", index }) => {
      if (known.has(name) || !/^[a-z][\w:-]*$/.test(name)) return [];
      const offset = segment.index + index;
      return [finding(page, offset, [`no such command: ${command}`, "name a script of package.json."])];
    }),
  );
}

function indexFindings(pages: Page[]): Finding[] {
  const index = pages.find(({ file }) => file === "docs/README.md");
  if (!index) return [{ file: "docs/README.md", problem: "there is no index", mend: "list every page in it." }];
  const missing = pages.filter(
    ({ file }) => file !== index.file && !index.text.includes(`](${relative("docs", file)})`),
  );
  return missing.map(({ file }) => ({ file, problem: "not listed in docs/README.md", mend: "add a line there." }));
}

/** Fenced `ts` and `tsx` blocks must compile as they stand; those that can't say so: ```ts fragment. */
function codeFindings(pages: Page[]): Finding[] {
  const folder = mkdtempSync(join(root, ".docs-check-"));
  const origins = new Map<string, { page: Page; line: number }>();
  try {
    for (const page of pages) {
      for (const { 1: language, 2: code = "", index } of page.text.matchAll(/^```(tsx?)\n([\s\S]*?)^```/gm)) {
        const line = lineAt(page.text, index) + 1;
        const name = `${page.file.replace(/\W/g, "-")}-${line}.${language}`;
        writeFileSync(join(folder, name), `${code}\nexport {};\n`);
        origins.set(name, { page, line });
      }
    }
    return origins.size === 0 ? [] : compile(folder, origins);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compile(folder: string, origins: Map<string, { page: Page; line: number }>): Finding[] {
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: "../api/tsconfig.json", compilerOptions, files: [...origins.keys()] }),
  );
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", folder, "--noEmit", "--pretty", "false"], {
    cwd: folder,
    encoding: "utf8",
  });
  const errors = [...stdout.matchAll(/^([^(\s]+)\((\d+),\d+\): error (.*)$/gm)].flatMap(
    ([, name = "", line, message]) => {
      const origin = origins.get(name);
      if (!origin) return [];
      const problem = `code does not compile: ${message}`;
      return [{ file: origin.page.file, line: origin.line + Number(line) - 1, problem, mend: "correct the block." }];
    },
  );
  if (status === 0 || errors.length > 0) return errors;
  return [{ file: "docs", problem: `the compiler ended with ${status}: ${stdout.slice(0, 500)}`, mend: "run tsc." }];
}

const docs = listFiles("docs/**/*.md").map(readPage);
const pages = [...docs, ...listFiles(["*.md", "db/*.md", "dev/**/*.md"]).map(readPage)];
const { scripts = {} } = JSON.parse(readText("package.json")) as { scripts?: Record<string, string> };
const findings = [
  ...docs.flatMap(frontMatterFindings),
  ...indexFindings(docs),
  ...pages.flatMap((page) => [
    ...linkFindings(page),
    ...pathFindings(page),
    ...commandFindings(page, Object.keys(scripts)),
  ]),
  ...codeFindings(pages),
];
report("docs", findings, `${pages.length} pages`);
