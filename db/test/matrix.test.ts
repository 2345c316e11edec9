import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { newFolder, runToEnd } from "@repo/dev/test/programs";
import { startServer, type TestServer } from "@repo/dev/test/servers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dbFolder, rootFolder } from "../scripts/paths.ts";
import { copyOfDb } from "./copy.ts";

/** Exit code and first line. */
type Outcome = [code: number, firstLine: RegExp];

interface Row {
  /** On the embedded database. */
  none: Outcome;
  /** Without an address; `null`: there is no such command. */
  staging: Outcome | null;
  prod: Outcome | null;
  /** With an address, where that makes a difference. */
  stagingAt?: Outcome;
  prodAt?: Outcome;
  args?: string[];
}

const unset = (environment: string): Outcome => [
  1,
  new RegExp(`^DATABASE_URL is not set for ${environment}: put it into \\.env\\.${environment}\\.local\\.$`),
];
const refused = (command: string, environment: string): Outcome => [
  1,
  new RegExp(`^${command} is for local databases: refused for ${environment}\\.$`),
];
const remote = { staging: unset("staging"), prod: unset("prod") };
const local = (command: string) => ({ staging: refused(command, "staging"), prod: refused(command, "prod") });
const same = (outcome: Outcome) => ({ none: outcome, staging: outcome, prod: outcome });
const alone = (outcome: Outcome): Row => ({ none: outcome, staging: null, prod: null });
const notNeeded: Outcome = [1, /^Docker with compose is not running here, and isn't needed: /];

/** Stands for the port of the tests' own server, which is taken. */
const serverPort = "%port%";
const taken = /^Port \d+ is taken by another program: stop what uses it, or choose another with --port\.$/;

/** In this order: later commands work on what the earlier ones made. */
const matrix: Record<string, Row> = {
  generate: same([0, /^No schema changes, nothing to migrate/]),
  migrate: {
    none: [0, /^dev: .*data$/],
    ...remote,
    stagingAt: [0, /^staging: 127\.0\.0\.1:\d+\/database_1$/],
    prodAt: [1, /^prod: 127\.0\.0\.1:\d+\/database_2$/],
  },
  push: { none: [0, /^dev: .*data$/], ...local("db:push") },
  seed: {
    none: [0, /^dev: .* holds the demo data$/],
    ...remote,
    stagingAt: [0, /^staging: .* holds the demo data$/],
    prodAt: [1, /^db:seed writes demo data: refused for prod\.$/],
  },
  check: {
    none: [0, /^dev: .*data; the migrations say what the schema says$/],
    ...remote,
    stagingAt: [0, /^staging: .*database_1; the migrations say what the schema says$/],
    // Nothing was applied there: nobody answered.
    prodAt: [8, /^(\d+) of \1 migrations are not applied: db:migrate$/],
  },
  lint: {
    none: [0, /^migrations and catalogue are clean$/],
    ...remote,
    stagingAt: [0, /^staging: migrations and catalogue are clean$/],
    prodAt: [0, /^prod: migrations and catalogue are clean$/],
  },
  roles: {
    none: [1, /^db:roles needs DATABASE_URL: the embedded database has no passwords\.$/],
    ...remote,
    stagingAt: [0, /^staging: app_cached and app_direct at .* have new passwords\. Run both:$/],
    prodAt: [1, /^127.* has migrations to come, which make the roles: run db:migrate first\.$/],
  },
  export: {
    none: [0, /^dev: .*data$/],
    ...remote,
    stagingAt: [0, /^staging: 127\.0\.0\.1:\d+\/database_1$/],
    // Nothing was applied there.
    prodAt: [1, /^prod: 127\.0\.0\.1:\d+\/database_2$/],
  },
  restore: {
    none: [1, /^\/.*\/missing\.sql cannot be read \(ENOENT\)\.$/],
    ...remote,
    stagingAt: [1, /^\/.*\/missing\.sql cannot be read \(ENOENT\)\.$/],
    prodAt: [1, /^\/.*\/missing\.sql cannot be read \(ENOENT\)\.$/],
    args: ["missing.sql"],
  },
  studio: {
    none: [1, taken],
    ...remote,
    stagingAt: [1, taken],
    prodAt: [1, /^Open prod, to read and to write\? Nobody is here to answer: add --yes\.$/],
    args: ["--port", serverPort],
  },
  erd: { ...alone([0, /^docs\/schema is current \(\d+ files\)$/]), args: ["--check"] },
  reset: { none: [0, /^dev: .* is new: \d+ migrations and the demo data$/], ...local("db:reset") },
  typecheck: { none: [0, /^$/], staging: [0, /^$/], prod: [0, /^$/] },
  start: alone(notNeeded),
  watch: alone(notNeeded),
  stop: alone(notNeeded),
  down: alone(notNeeded),
};

const scriptsOf = (folder: string): Record<string, string> =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).scripts;
const scripts = scriptsOf(rootFolder);

let server: TestServer;
const addresses: Record<string, string> = {};
const embedded = newFolder();
const copy = copyOfDb();

beforeAll(async () => {
  server = await startServer();
  addresses.staging = await server.newDatabase();
  addresses.prod = await server.newDatabase();
}, 120_000);
afterAll(() => server.stop());

/** Runs what package.json has for a command, without bun in between. */
async function outcomeOf(name: string, args: string[], variables: Record<string, string>) {
  const words = scripts[name]?.split(" ") ?? [];
  const environment = words[0]?.startsWith("ENVIRONMENT=") ? words.shift()?.slice("ENVIRONMENT=".length) : "";
  const [bun, runner, program = "", ...own] = words;
  expect([bun, runner]).toEqual(["bun", "scripts/run.ts"]);
  // What it would write belongs into a copy.
  const path = /\/(?:generate|export|restore)\.ts$/.test(program) ? join(copy.folder, program) : program;
  const { port } = new URL(addresses.staging ?? "");
  const { code, output } = await runToEnd([path, ...own, ...args.map((arg) => arg.replace(serverPort, port))], {
    ENVIRONMENT: environment ?? "",
    PGLITE_DIR: embedded,
    // No Docker, should there be one.
    PATH: dirname(process.execPath),
    ...variables,
  });
  expect(output).not.toMatch(/\n {4}at /);
  return { code, firstLine: output.split("\n")[0] };
}

describe.each(Object.entries(matrix))("db:%s", (command, { args = [], ...row }) => {
  const cases: [string, Outcome | null, Record<string, string>][] = [
    ["", row.none, {}],
    [":staging", row.staging, {}],
    [":prod", row.prod, {}],
  ];

  test.each(cases)(
    "%s",
    async (suffix, expected, variables) => {
      const name = `db:${command}${suffix}`;
      if (!expected) return expect(scripts).not.toHaveProperty([name]);
      // The compiler looks at no environment, and takes its time.
      if (command === "typecheck" && suffix) return expect(scripts[name]).toMatch(` ${scripts["db:typecheck"]}`);
      const { code, firstLine } = await outcomeOf(name, args, variables);
      expect(firstLine).toMatch(expected[1]);
      expect(code).toBe(expected[0]);
    },
    60_000,
  );

  const withAddress: [string, Outcome | undefined][] = [
    ["staging", row.stagingAt],
    ["prod", row.prodAt],
  ];

  test.each(withAddress.filter(([, expected]) => expected))(
    ":%s, with an address",
    async (environment, expected) => {
      const { code, firstLine } = await outcomeOf(`db:${command}:${environment}`, args, {
        DATABASE_URL: addresses[environment] ?? "",
      });
      expect(firstLine).toMatch(expected?.[1] ?? /./);
      expect(code).toBe(expected?.[0]);
    },
    60_000,
  );

  test("--help explains it", async () => {
    if (command === "typecheck") return;
    const { code, output } = await runToEnd([scripts[`db:${command}`]?.split(" ")[2] ?? "", "--help"]);
    expect(output).toMatch(/^bun db:/);
    expect(code).toBe(0);
  });
});

test("db/package.json has the same commands, which run those of the root", () => {
  const own = Object.entries(scriptsOf(dbFolder)).filter(([name]) => name.startsWith("db:"));
  const ofRoot = Object.keys(scripts).filter((name) => name.startsWith("db:"));
  expect(Object.fromEntries(own)).toEqual(Object.fromEntries(ofRoot.map((name) => [name, `bun run --cwd=.. ${name}`])));
});

test("what goes beyond a command's arguments is refused, with no stack and no password", async () => {
  const at = { DATABASE_URL: "postgres://u:hunter2@127.0.0.1:1/d" };
  for (const command of ["migrate", "check"]) {
    const stray = await runToEnd([`db/scripts/${command}.ts`, "stray"], at);
    expect(stray).toEqual({ code: 1, output: 'What is "stray" for? (--help shows the options)\n' });
    const option = await runToEnd([`db/scripts/${command}.ts`, "--stray"], at);
    expect(option.output).toMatch(/^Unknown option '--stray'.*\(--help shows the options\)\n$/);
  }
}, 120_000);

test.each(["migrate", "check"])("db:%s says in one line that nobody answers", async (command) => {
  const at = { DATABASE_URL: "postgres://u:hunter2@127.0.0.1:1/d" };
  const { code, output } = await runToEnd([`db/scripts/${command}.ts`], at);
  expect(output.split("\n").at(-2)).toMatch(/^The database is out of reach \(ECONNREFUSED\): /);
  expect(output).not.toContain("hunter2");
  expect(code).toBe(1);
});
