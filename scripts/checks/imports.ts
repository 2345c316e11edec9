import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { parseSync } from "oxc-parser";
import { lineAt, readText, root } from "./project.ts";

export interface Import {
  /** The importing file, relative to the repository. */
  from: string;
  /** The file that is meant, relative to the repository; undefined for a package from outside. */
  to: string | undefined;
  /** As written. */
  specifier: string;
  line: number;
}

const workspaces: Record<string, string> = { "@repo/api": "api", "@repo/db": "db", "@repo/dev": "dev" };

/** Every import and re-export of a file, also `import()` of a literal, types included. */
export function importsOf(file: string): Import[] {
  const text = readText(file);
  const { module } = parseSync(file, text);
  const requests = [
    ...module.staticImports.map((statement) => statement.moduleRequest),
    ...module.staticExports.flatMap((statement) => statement.entries.map((entry) => entry.moduleRequest)),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => ({
      value: text.slice(start + 1, end - 1),
      start,
      end,
    })),
  ];
  const seen = new Map<string, Import>();
  for (const request of requests) {
    if (!request || seen.has(request.value)) continue;
    const to = target(file, request.value);
    seen.set(request.value, { from: file, to, specifier: request.value, line: lineAt(text, request.start) });
  }
  return [...seen.values()];
}

function target(from: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier);
  const [scope = "", name = "", ...rest] = specifier.split("/");
  const folder = workspaces[`${scope}/${name}`];
  if (!folder) return undefined;
  if (rest.length === 0) return `${folder}/index.ts`;
  const path = posix.join(folder, ...rest);
  const candidates = [`${path}.ts`, `${path}/index.ts`];
  return candidates.find((candidate) => existsSync(join(root, candidate))) ?? `${path}.ts`;
}
