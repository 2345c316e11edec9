import { type Import, importsOf } from "./imports.ts";
import { type Finding, foundations, listFiles, report } from "./project.ts";

const serviceDoor = "api/core/database/service.ts";
const serviceFiles = /(^|\/)(webhooks|jobs|cron)\.ts$/;
const composition = ["api/modules/index.ts", "api/modules/registry.ts", "api/app.ts", "api/worker.ts"];

type Edge = Import & { to: string };
type Rule = (edge: Edge) => Omit<Finding, "file" | "line"> | undefined;

function isTest(file: string): boolean {
  return /\.test\.tsx?$|\/test\/|\/test-[\w-]+\.ts$/.test(file);
}

function moduleOf(file: string): string | undefined {
  return file.match(/^api\/modules\/([^/]+)\/./)?.[1];
}

function workspaceOf(file: string): string {
  return file.match(/^(api|db|dev)\//)?.[1] ?? "root";
}

/** `api/core` is what every domain stands on. */
const coreStandsAlone: Rule = ({ from, to }) => {
  if (!from.startsWith("api/core/") || !to.startsWith("api/")) return undefined;
  if (to.startsWith("api/core/") || (isTest(from) && !to.startsWith("api/modules/"))) return undefined;
  return {
    problem: `api/core imports ${to}`,
    mend: "core knows no domain: declare what it needs as a type in core and let the module hand it in (defineModule).",
  };
};

const modulesThroughTheirFace: Rule = ({ from, to }) => {
  const other = moduleOf(to);
  const own = moduleOf(from);
  if (!other || other === own || to === `api/modules/${other}/index.ts`) return undefined;
  // What a frontend imports must not drag the server along, so it takes the inputs alone.
  if (from === "api/modules/inputs.ts" && to.endsWith("/input.ts")) return undefined;
  return {
    problem: `reaches into the module ${other}: ${to}`,
    mend: `import from api/modules/${other}/index.ts, and export there what others may use.`,
  };
};

const foundationsFirst: Rule = ({ from, to }) => {
  const own = moduleOf(from);
  const other = moduleOf(to);
  if (!own || !other || own === other) return undefined;
  if (!foundations.includes(own) || foundations.includes(other)) return undefined;
  return {
    problem: `${own}, a foundation, imports the module ${other}`,
    mend: `imports run core <- ${foundations.join(", ")} <- the other modules: let ${other} import ${own} instead.`,
  };
};

const modulesDoNotCompose: Rule = ({ from, to }) => {
  if (!moduleOf(from) || isTest(from) || !composition.includes(to)) return undefined;
  return {
    problem: `a module imports ${to}, which imports every module`,
    mend: "import the one module that is meant from its index.ts.",
  };
};

const serviceStaysBehind: Rule = ({ from, to }) => {
  if (to !== serviceDoor || serviceFiles.test(from) || isTest(from)) return undefined;
  return {
    problem: "imports asService, which sees every tenant's rows",
    mend: "use ctx.rls; work for the system itself belongs into webhooks.ts, jobs.ts or cron.ts.",
  };
};

const databaseStandsAlone: Rule = ({ from, to }) => {
  if (!from.startsWith("db/") || !to.startsWith("api/")) return undefined;
  return {
    problem: `db imports ${to}`,
    mend: "the data layer is usable without the API: move what is shared into db/.",
  };
};

const schemaImportsSiblings: Rule = ({ from, to }) => {
  if (!from.startsWith("db/schema/") || from === "db/schema/index.ts" || isTest(from)) return undefined;
  if (to === "db/schema/index.ts" || !to.startsWith("db/schema/")) {
    return {
      problem: `a schema file imports ${to}`,
      mend: "import the sibling file that declares it, never the barrel, so that a domain stays removable.",
    };
  }
  return undefined;
};

const packagesByName: Rule = ({ from, to, specifier }) => {
  const other = workspaceOf(to);
  if (!specifier.startsWith(".") || workspaceOf(from) === other || other === "root") return undefined;
  if (workspaceOf(from) === "root") return undefined;
  return {
    problem: `crosses into another package by path: ${specifier}`,
    mend: `import it as @repo/${other}, through an entry of ${other}/package.json.`,
  };
};

const rules: Rule[] = [
  coreStandsAlone,
  modulesThroughTheirFace,
  foundationsFirst,
  modulesDoNotCompose,
  serviceStaysBehind,
  databaseStandsAlone,
  schemaImportsSiblings,
  packagesByName,
];

const files = listFiles(["api/**/*.{ts,tsx}", "db/**/*.{ts,tsx}", "dev/**/*.{ts,tsx}", "examples/**/*.{ts,tsx}"]);
const edges = files.flatMap(importsOf).filter((edge): edge is Edge => edge.to !== undefined);
const findings = edges.flatMap((edge) =>
  rules.flatMap((rule) => {
    const broken = rule(edge);
    return broken ? [{ file: edge.from, line: edge.line, ...broken }] : [];
  }),
);
report("boundaries", findings, `${edges.length} imports in ${files.length} files`);
