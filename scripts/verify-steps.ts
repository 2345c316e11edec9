export interface Step {
  name: string;
  /** Run in order; each is a program and its arguments, `node` being the one that runs this. */
  commands: string[][];
  /** The last line of its output belongs into the summary. */
  remark?: boolean;
  /** Its output ends with vitest's counts. */
  tests?: boolean;
}

const biome = ["node", "node_modules/@biomejs/biome/bin/biome"];
const tsc = ["node", "node_modules/typescript/bin/tsc"];

/** All that CI runs, quick checks first. */
export const steps: Step[] = [
  { name: "format", commands: [[...biome, "check", "--linter-enabled=false", "--max-diagnostics=200", "."]] },
  {
    name: "lint",
    commands: [
      [...biome, "lint", "--error-on-warnings", "--max-diagnostics=200", "."],
      ["node", "node_modules/oxlint/bin/oxlint"],
    ],
  },
  {
    name: "types",
    // The last as a frontend compiles: with the DOM's types, and the API's through project references.
    commands: [
      ...[".", "api", "db", "dev"].map((folder) => [...tsc, "--noEmit", "-p", folder]),
      [...tsc, "-b", "examples/web"],
    ],
  },
  { name: "boundaries", commands: [["node", "scripts/checks/boundaries.ts"]], remark: true },
  { name: "removal", commands: [["node", "scripts/checks/removal.ts"]], remark: true },
  { name: "soft-delete", commands: [["node", "scripts/checks/soft-delete.ts"]], remark: true },
  { name: "checks", commands: [["node", "--test", "scripts/checks/*.test.ts"]] },
  { name: "unused", commands: [["node", "node_modules/knip/bin/knip.js"]] },
  { name: "migrations", commands: [["node", "db/scripts/check.ts", "--offline"]], remark: true },
  { name: "db-lint", commands: [["node", "db/scripts/lint.ts"]], remark: true },
  { name: "diagrams", commands: [["node", "db/scripts/erd.ts", "--check"]], remark: true },
  { name: "policies", commands: [["node", "db/scripts/mutate-policies.ts"]], remark: true },
  { name: "isolation", commands: [["node", "--test", "bench/isolation/*.test.ts"]] },
  { name: "docs", commands: [["node", "scripts/checks/docs.ts"]], remark: true },
  { name: "recipe", commands: [["node", "scripts/checks/recipe.ts"]], remark: true },
  { name: "environment", commands: [["node", "scripts/environment-docs.ts", "--check"]], remark: true },
  { name: "bundle", commands: [["node", "scripts/bundle.ts"]], remark: true },
  { name: "test", commands: [["bun", "run", "test"]], tests: true },
  { name: "test-postgres", commands: [["bun", "run", "test:postgres"]], tests: true },
];
