import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const given = process.argv[2]?.startsWith("-") ? undefined : process.argv[2];

/** Absolute path of the tree under examination: the first argument, or this repository. */
export const root = resolve(given ?? join(import.meta.dirname, "../.."));

/** The domains that the core knows the tables of, and that every other domain may build upon. */
export const foundations = ["identity", "organizations"];

const ignored = new Set(["node_modules", ".git", ".wrangler", "backups", "dist"]);
const ignoredStart = [".pglite", ".docs-check"];

function isIgnored(path: string): boolean {
  return path.split("/").some((part) => ignored.has(part) || ignoredStart.some((start) => part.startsWith(start)));
}

/** Paths of the project's files that match `pattern`, relative to `folder`, in order. */
export function listFiles(pattern: string | string[], folder = root): string[] {
  const found = globSync(pattern, { cwd: folder, exclude: isIgnored });
  return found.map((path) => path.replaceAll("\\", "/")).sort();
}

/** Text of one file, given relative to the repository. */
export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** What a check complains of: where, what, and how to mend it. */
export interface Finding {
  file: string;
  line?: number;
  problem: string;
  mend: string;
}

/** Line number, counted from 1, of an offset in `text`. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Prints the findings, or that there is none, and sets the process's exit code. */
export function report(check: string, findings: Finding[], examined: string): void {
  for (const { file, line, problem, mend } of findings) {
    console.error(`${file}${line === undefined ? "" : `:${line}`}: ${problem}\n    ${mend}`);
  }
  const outcome = findings.length === 0 ? "nothing to mend" : `${findings.length} to mend`;
  console.log(`${check}: ${outcome} (${examined})`);
  if (findings.length > 0) process.exitCode = 1;
}
