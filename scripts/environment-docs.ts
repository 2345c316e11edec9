import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { envSchema } from "../api/core/env.ts";
import { listFiles, readText, root } from "./checks/project.ts";
import { toolVariables } from "./tool-variables.ts";

const page = "docs/environment-variables.md";

/** The parts of a zod schema that the page is made of. */
interface Described {
  description?: string | undefined;
  def: {
    type: string;
    innerType?: Described;
    in?: Described;
    entries?: Record<string, string>;
    defaultValue?: unknown;
    format?: string;
  };
}

function innermost(schema: Described): Described {
  const inner = schema.def.innerType ?? schema.def.in;
  return inner ? innermost(inner) : schema;
}

/** Default of a schema, wherever it sits in the chain of wrappers; undefined when there is none. */
function defaultOf(schema: Described): unknown {
  if (schema.def.type === "default") return schema.def.defaultValue;
  const inner = schema.def.innerType ?? schema.def.in;
  return inner ? defaultOf(inner) : undefined;
}

function isOptional(schema: Described): boolean {
  return schema.def.type === "optional" || (schema.def.innerType ? isOptional(schema.def.innerType) : false);
}

function requirement(schema: Described): string {
  const fallback = defaultOf(schema);
  if (fallback !== undefined) return fallback === "" ? "default: empty" : `default: \`${String(fallback)}\``;
  return isOptional(schema) ? "optional" : "required";
}

function valuesOf(schema: Described): string {
  const { def } = innermost(schema);
  if (def.type === "enum")
    return Object.values(def.entries ?? {})
      .map((value) => `\`${value}\``)
      .join(", ");
  return def.format === "url" ? "address" : def.type;
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function table(head: string[], rows: string[][]): string {
  return [row(...head), row(...head.map(() => "---")), ...rows.map((cells) => row(...cells))].join("\n");
}

const settings: [string, Described][] = Object.entries(envSchema.shape);
const bindings = settings.filter(([, schema]) => innermost(schema).def.type === "custom");
const values = settings.filter(([, schema]) => innermost(schema).def.type !== "custom");
const describe = (name: string, { description }: Described) => {
  if (!description) throw new Error(`api/core/env.ts: ${name} has no .describe()`);
  return description;
};

/** Set by every system, and no setting of ours. */
const ofTheSystem = ["PATH", "HOME", "USER", "TMPDIR", "SHELL"];

/** Names that the code beside the worker reads from its environment. */
function namesInCode(): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of listFiles(["api/**/*.ts", "db/**/*.ts", "dev/**/*.ts", "scripts/**/*.ts", "bench/**/*.ts"])) {
    for (const [, name = ""] of readText(file).matchAll(/process\.env\.([A-Z][A-Z0-9_]*)\b(?! = )/g))
      found.set(name, file);
  }
  return found;
}

function undocumented(): string[] {
  const known = new Set([...ofTheSystem, ...toolVariables.map(({ name }) => name), ...settings.map(([name]) => name)]);
  return [...namesInCode()].filter(([name]) => !known.has(name)).map(([name, file]) => `${name} (${file})`);
}

function render(dates: { created: string; updated: string }): string {
  return `---
created: ${dates.created}
updated: ${dates.updated}
status: current
type: reference
---

# Environment variables

Made from \`api/core/env.ts\` and \`scripts/tool-variables.ts\` by \`bun run docs:environment\`; don't edit this page.

## Settings of the worker

The worker validates them at its first request and names every one that is missing or wrong. Locally they stand in
\`.dev.vars\`, deployed in \`wrangler.toml\` under \`[env.<name>.vars]\`. Secrets never stand in a file that is committed:
\`wrangler secret put <NAME> --env production\`.

${table(
  ["name", "values", "", "what it does"],
  values.map(([name, schema]) => [`\`${name}\``, valuesOf(schema), requirement(schema), describe(name, schema)]),
)}

## Bindings of the worker

They are declared in \`wrangler.toml\`, once per environment. [Deployment](deployment.md) says how to create them.

${table(
  ["name", "what it is"],
  bindings.map(([name, schema]) => [`\`${name}\``, describe(name, schema)]),
)}

## Tools beside the worker

The commands under \`db/\`, \`dev/\` and \`scripts/\` read these. Database commands load \`.env.<environment>.local\`, then
\`.env.local\`, then \`.env\`, from the root of the repository; the first file that has a name wins, and a variable that is
already set wins over all of them.

${table(
  ["name", "", "read by", "what it does"],
  toolVariables.map(({ name, fallback, readBy, purpose }) => [`\`${name}\``, fallback, readBy, purpose]),
)}
`;
}

const path = join(root, page);
const current = (() => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
})();
const today = new Date().toISOString().slice(0, 10);
const dateIn = (key: string) => current.match(new RegExp(`^${key}: (\\S+)$`, "m"))?.[1];
const kept = { created: dateIn("created") ?? today, updated: dateIn("updated") ?? today };
const missing = undocumented();

if (missing.length > 0) {
  console.error(`read in code, unknown to scripts/tool-variables.ts: ${missing.join(", ")}\n    describe them there.`);
  process.exitCode = 1;
}
if (render(kept) === current) console.log(`environment: ${page} is current (${settings.length} settings)`);
else if (process.argv.includes("--check")) {
  console.error(`${page}: not what the code says\n    run bun run docs:environment and commit the page.`);
  process.exitCode = 1;
} else {
  writeFileSync(path, render({ ...kept, updated: today }));
  console.log(`environment: wrote ${page}`);
}
