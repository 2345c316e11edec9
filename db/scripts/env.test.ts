import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeUrl, readTarget } from "./env.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-env-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (file: string, host: string) => writeFileSync(join(folder, file), `DATABASE_URL=postgres://${host}/db\n`);
const read = (variables: Record<string, string | undefined> = {}) => readTarget({ folder, variables });

test("the first of .env.{env}.local, .env.local and .env wins, the process's own variables over all", () => {
  write(".env", "third");
  expect(read()).toEqual({ environment: "dev", databaseUrl: "postgres://third/db" });
  write(".env.local", "second");
  expect(read().databaseUrl).toBe("postgres://second/db");
  write(".env.staging.local", "first");
  expect(read({ ENVIRONMENT: "staging" })).toEqual({ environment: "staging", databaseUrl: "postgres://first/db" });
  expect(read().databaseUrl).toBe("postgres://second/db");
  expect(read({ ENVIRONMENT: "staging", DATABASE_URL: "postgres://own/db" }).databaseUrl).toBe("postgres://own/db");
});

test("ENVIRONMENT comes before NODE_ENV, and dev when there is neither", () => {
  write(".env", "any");
  expect(read().environment).toBe("dev");
  expect(read({ NODE_ENV: "production" }).environment).toBe("prod");
  expect(read({ NODE_ENV: "production", ENVIRONMENT: "staging" }).environment).toBe("staging");
  expect(() => read({ ENVIRONMENT: "qa" })).toThrow('ENVIRONMENT is "qa": it must be one of dev, test, staging, prod.');
});

test.each([
  "mysql://u:hunter2@h/d",
  "hunter2",
  "postgres://",
  "http://u:hunter2@h",
  "postgres:u:hunter2@h/d",
  "postgres://u:hunter2@/d",
  "postgres://u:hunter2@h:99999/d",
  "postgres://u:hunter2%@h/d",
  "postgres://u:1/hunter2@h/d",
  "postgres://u:1?hunter2@h/d",
  "postgres://u:1#hunter2@h/d",
  "psql 'postgres://u:hunter2@h/d'",
])("%s is no address", (DATABASE_URL) => {
  const run = () => read({ DATABASE_URL });
  expect(run).toThrow(/^DATABASE_URL must be an address such as postgres:\/\//);
  expect(run).not.toThrow(/hunter2/);
});

test("postgres:// and postgresql:// are addresses", () => {
  for (const DATABASE_URL of ["postgres://u:p@h/d", "postgresql://u:p@h:5432/d?sslmode=require"]) {
    expect(read({ DATABASE_URL }).databaseUrl).toBe(DATABASE_URL);
  }
});

test.each([
  ["sslmode=require&channel_binding=require", "sslmode=verify-full"],
  ["channel_binding=require", "sslmode=verify-full"],
  ["sslmode=require&channel_binding=prefer", "sslmode=require"],
])("channel binding, which the drivers lack, becomes a verified certificate: %s", (given, taken) => {
  const { databaseUrl } = read({ DATABASE_URL: `postgresql://u:p%2F@h/d?${given}` });
  expect(databaseUrl).toBe(`postgresql://u:p%2F@h/d?${taken}`);
});

test("staging and prod need an address; dev has the embedded database", () => {
  expect(read()).toEqual({ environment: "dev" });
  expect(() => read({ ENVIRONMENT: "prod" })).toThrow("DATABASE_URL is not set for prod: put it into .env.prod.local.");
});

test("what is for local databases alone refuses the others, address or none", () => {
  const run = (ENVIRONMENT: string) => () =>
    readTarget({ folder, variables: { ENVIRONMENT, DATABASE_URL: "postgres://h/d" }, localOnly: "db:reset" });
  expect(run("prod")).toThrow("db:reset is for local databases: refused for prod.");
  expect(run("staging")).toThrow("refused for staging");
  expect(run("dev")).not.toThrow();
});

test("an address is shown without user and password", () => {
  expect(describeUrl("postgres://u:hunter2@host:5433/d?x=1")).toBe("host:5433/d");
});
