import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { runToEnd } from "@repo/dev/test/programs";
import { describe, expect, test } from "vitest";
import { dbFolder } from "../scripts/paths.ts";

const compose = (...args: string[]) => ["db/scripts/compose.ts", ...args];
const commands = ["start", "watch", "stop", "down"];

/** A folder with a program called docker in it: a shell script with this body. */
function dockerThat(body: string): { PATH: string; log: () => string[] } {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-docker-"));
  const log = join(folder, "log");
  writeFileSync(join(folder, "docker"), `#!/bin/sh\necho "$@" >> '${log}'\n${body}\n`);
  chmodSync(join(folder, "docker"), 0o755);
  const lines = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
  return { PATH: [folder, "/usr/bin", "/bin"].join(delimiter), log: lines };
}

const notNeeded = "Docker with compose is not running here, and isn't needed: bun dev brings an embedded Postgres.\n";

describe("without Docker, one line says that it isn't needed", () => {
  test.each(commands)("db:%s, no such program", async (name) => {
    const PATH = mkdtempSync(join(tmpdir(), "fairlead-empty-"));
    expect(await runToEnd(compose(name), { PATH })).toEqual({ code: 1, output: notNeeded });
  });

  test("Docker without compose, or with nobody behind it", async () => {
    const { PATH } = dockerThat('test "$1" = info');
    expect(await runToEnd(compose("start"), { PATH })).toEqual({ code: 1, output: notNeeded });
    const other = dockerThat('test "$1" = compose');
    expect(await runToEnd(compose("start"), { PATH: other.PATH })).toEqual({ code: 1, output: notNeeded });
  });
});

describe("with Docker", () => {
  const file = `compose --file ${join(dbFolder, "docker-compose.yml")}`;

  test.each([
    ["start", "up --detach --wait"],
    ["watch", "logs --follow postgres"],
    ["stop", "stop"],
  ])("db:%s runs docker compose %s", async (name, args) => {
    const { PATH, log } = dockerThat("exit 0");
    const { code, output } = await runToEnd(compose(name), { PATH, DB_PORT: "5433" });
    expect(log().at(-1)).toBe(`${file} ${args}`);
    expect(code).toBe(0);
    if (name === "start") expect(output).toContain("DATABASE_URL=postgres://postgres:password@127.0.0.1:5433/fairlead");
  });

  test("db:down deletes the data after a question, and nothing without an answer", async () => {
    const { PATH, log } = dockerThat("exit 0");
    const refused = await runToEnd(compose("down"), { PATH });
    expect(refused).toEqual({
      code: 1,
      output: "Remove the container fairlead-postgres and all its data? Nobody is here to answer: add --yes.\n",
    });
    expect(log().filter((line) => line.includes("down"))).toEqual([]);
    expect((await runToEnd(compose("down", "--yes"), { PATH })).code).toBe(0);
    expect(log().at(-1)).toBe(`${file} down --volumes`);
  });

  test("what docker compose can't do ends with 1", async () => {
    const { PATH } = dockerThat('test "$4" != up');
    expect((await runToEnd(compose("start"), { PATH })).code).toBe(1);
  });
});

test("the file is one Postgres 17 that outlives a restart, with a port of one's choice and a health check", () => {
  const text = readFileSync(join(dbFolder, "docker-compose.yml"), "utf8");
  for (const line of [
    "name: fairlead\n",
    "    image: postgres:17\n    container_name: fairlead-postgres\n",
    "      POSTGRES_DB: fairlead\n      POSTGRES_USER: postgres\n      POSTGRES_PASSWORD: password\n",
    '      - "${DB_PORT:-5432}:5432"\n',
    "      - fairlead_postgres_data:/var/lib/postgresql/data\n",
    '      test: ["CMD-SHELL", "pg_isready -U postgres"]\n      interval: 10s\n      timeout: 5s\n      retries: 5\n',
    "    restart: unless-stopped\n",
    "\nvolumes:\n  fairlead_postgres_data:\n",
  ]) {
    expect(text).toContain(line);
  }
});
