import { auditLog, eq, inArray, resume } from "@repo/db";
import { connect, type DatabaseClient } from "@repo/db/client";
import { demoPassword, demoUsers } from "@repo/db/seeds/identity";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { doorsAt } from "./doors.ts";
import type { FaultKind, FaultSpec } from "./hyperdrive/legs/faults.ts";
import { type RunningPostgres, startPostgres } from "./postgres.ts";
import { eventually, freePort, newFolder, type Program, run } from "./test/programs.ts";

/** What a client may be made to wait, and how soon after a fault all must be well. */
const longestWaitMs = 16_000;
const recoveryMs = 5000;

/** The running worker under `wrangler dev`, its local Hyperdrive and its database. */
interface Stage {
  url: string;
  control: string;
  headers: Record<string, string>;
  owner: DatabaseClient;
  dev: Program;
  close(): Promise<void>;
}

async function openStage(kind: string): Promise<Stage> {
  const server: RunningPostgres | null = kind === "postgres" ? await startPostgres() : null;
  const port = await freePort();
  const database = server ? { DATABASE_URL: server.ownerUrl } : { PGLITE_DIR: newFolder() };
  const dev = run(["dev/start.ts"], { PORT: String(port), ...database });
  await dev.says(/^ready http:[\s\S]*\/stats/m);
  const url = `http://127.0.0.1:${port}`;
  const ports = { cached: port + 1, direct: port + 2, origin: port + 3 };
  const owner = connect(server?.ownerUrl ?? doorsAt(ports, "fairlead_owner").owner);
  const signIn = await fetch(`${url}/api/auth/sign-in/email`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: url },
    body: JSON.stringify({ email: demoUsers[0].email, password: demoPassword }),
  });
  const headers = {
    authorization: `Bearer ${signIn.headers.get("set-auth-token")}`,
    "content-type": "application/json",
  };
  return {
    url,
    control: /cache\s+(http:\S+)\/stats/.exec(dev.output())?.[1] ?? "",
    headers,
    owner,
    dev,
    async close() {
      await owner.close();
      dev.child.kill("SIGTERM");
      await dev.ended;
      await server?.stop();
    },
  };
}

interface Answer {
  status: number;
  retryAfter: string | null;
  body: string;
  ms: number;
}

async function ask(url: string, init: RequestInit): Promise<Answer> {
  const started = performance.now();
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(longestWaitMs) });
  const body = await response.text();
  const ms = performance.now() - started;
  return { status: response.status, retryAfter: response.headers.get("retry-after"), body, ms };
}

let names = 0;

/** What a client does, and how its answer is told from a wrong one. `match`: of its own statement. */
interface Act {
  match: string;
  name: string;
  run(): Promise<Answer>;
  isRight(answer: Answer): boolean;
}

function actsOn({ url, headers }: Stage): Record<"a public read" | "a read of one's own" | "a write", Act> {
  const name = `Fault ${names++}`;
  const procedure = `${url}/api/trpc`;
  return {
    "a public read": {
      match: 'from "resume"',
      name,
      run: () => ask(`${procedure}/resumes.bySlug?input={"slug":"demo-person"}`, {}),
      isRight: ({ body }) => JSON.parse(body).result.data.name === "Engineer",
    },
    "a read of one's own": {
      match: 'from "resume"',
      name,
      run: () => ask(`${procedure}/resumes.list?input={}`, { headers }),
      isRight: ({ body }) => {
        const { items } = JSON.parse(body).result.data as { items: { name: string }[] };
        return items.length > 0 && items.every((item) => /^(?:Engineer|Teacher|Fault \d+)$/.test(item.name));
      },
    },
    "a write": {
      match: 'insert into "resume"',
      name,
      run: () => ask(`${procedure}/resumes.create`, { method: "POST", headers, body: JSON.stringify({ name }) }),
      isRight: ({ body }) => JSON.parse(body).result.data.name === name,
    },
  };
}
type ActName = keyof ReturnType<typeof actsOn>;
const actNames: ActName[] = ["a public read", "a read of one's own", "a write"];

async function control(stage: Stage, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${stage.control}${path}`, { method: "POST", body: JSON.stringify(body) });
  expect(response.status).toBe(200);
}

const arm = (stage: Stage, spec: FaultSpec | { kind: "none" }) => control(stage, "/faults", spec);
// Else the public read would not need the database.
const emptyCache = (stage: Stage) => control(stage, "/reset", { only: "cache" });

/** Right, or an error that says when to try again and nothing of the database. */
function expectRightOrMapped(answer: Answer, act: Act): void {
  if (answer.status === 200) {
    expect(act.isRight(answer)).toBe(true);
    return;
  }
  expect(answer.status).toBe(503);
  expect(Number(answer.retryAfter)).toBeGreaterThan(0);
  expect(JSON.parse(answer.body).error.data.code).toBe("UNAVAILABLE");
  expect(answer.body).not.toMatch(/select |insert |"resume"|begin|commit|ECONN|\bat \//i);
}

/** How often the row is there; it has its line in the audit log, or neither is. */
async function rowsNamed({ owner: { db } }: Stage, name: string): Promise<number> {
  const rows = await db.select({ id: resume.id }).from(resume).where(eq(resume.name, name));
  const ids = rows.map(({ id }) => id);
  const lines = ids.length === 0 ? [] : await db.select().from(auditLog).where(inArray(auditLog.target, ids));
  expect(lines).toHaveLength(rows.length);
  return rows.length;
}

/** All three act at once, and the answer of each. */
async function actAll(stage: Stage) {
  const acts = Object.values(actsOn(stage));
  return Promise.all(acts.map(async (act) => ({ act, answer: await act.run() })));
}

/** All three while the fault is armed. */
async function actAllDuring(stage: Stage, fault: FaultSpec) {
  await emptyCache(stage);
  await arm(stage, fault);
  const done = await actAll(stage);
  await arm(stage, { kind: "none" });
  return done;
}

const writtenBy = (done: { act: Act }[]) => done[2]?.act.name ?? "";

/** All three do what they should, at most five seconds from now. */
async function expectAllWell(stage: Stage): Promise<void> {
  const started = performance.now();
  const wellNow = async () => {
    await emptyCache(stage);
    const done = await actAll(stage);
    return done.every(({ act, answer }) => answer.status === 200 && act.isRight(answer));
  };
  expect(await eventually(wellNow)).toBe(true);
  expect(performance.now() - started).toBeLessThan(recoveryMs);
}

/** What each kind must come to: the write's row is there (1) or not (0), and whether the answer may only be right. */
const strikes: Partial<Record<FaultKind, { rows: 0 | 1 }>> = {
  "reset-before-commit": { rows: 0 },
  "reset-after-commit": { rows: 1 },
  "57P01": { rows: 0 },
  "40001": { rows: 0 },
  "40P01": { rows: 0 },
  "53300": { rows: 0 },
  "58000": { rows: 0 },
};
const strikeKinds = Object.keys(strikes) as (keyof typeof strikes)[];

describe.each(["pglite", "postgres"])("the worker on %s", (kind) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(kind);
  }, 120_000);
  afterAll(() => stage?.close());

  describe.each(strikeKinds)("%s", (fault) => {
    test.each(actNames)("strikes %s", async (actName) => {
      const act = actsOn(stage)[actName];
      await emptyCache(stage);
      // A write meets a reset at its COMMIT; the answer to a read does not depend on that.
      const isAtCommit = fault.startsWith("reset") && actName === "a write";
      const isOfPool = fault === "53300" || fault === "58000";
      await arm(stage, { kind: fault, ...(isAtCommit || isOfPool ? {} : { match: act.match }) });
      const answer = await act.run();
      expect(answer.status).toBe(503);
      expectRightOrMapped(answer, act);
      expect(await rowsNamed(stage, act.name)).toBe(actName === "a write" ? strikes[fault]?.rows : 0);
      await arm(stage, { kind: "none" });
      await expectAllWell(stage);
    });
  });

  test("a reset at a read's COMMIT: the answer stands", async () => {
    const act = actsOn(stage)["a read of one's own"];
    await arm(stage, { kind: "reset-before-commit" });
    const answer = await act.run();
    expect(answer.status).toBe(200);
    expectRightOrMapped(answer, act);
    await arm(stage, { kind: "none" });
    await expectAllWell(stage);
  });

  test.each<FaultSpec>([
    { kind: "slow", ms: 200, seconds: 60 },
    { kind: "sliced", seconds: 60 },
  ])("$kind: all come late or in pieces, and right", async (fault) => {
    const done = await actAllDuring(stage, fault);
    for (const { act, answer } of done) {
      expect(answer).toMatchObject({ status: 200 });
      expect(act.isRight(answer)).toBe(true);
      if (fault.kind === "slow") expect(answer.ms).toBeGreaterThan(200);
    }
    expect(await rowsNamed(stage, writtenBy(done))).toBe(1);
    await expectAllWell(stage);
  });

  test.each<FaultSpec>([
    { kind: "origin-down", seconds: 60 },
    { kind: "half-open", seconds: 60 },
  ])("$kind: nobody waits for ever, and no row is half written", async (fault) => {
    const done = await actAllDuring(stage, fault);
    for (const { act, answer } of done) {
      expect(answer.status).toBe(503);
      expectRightOrMapped(answer, act);
    }
    await expectAllWell(stage);
    expect(await rowsNamed(stage, writtenBy(done))).toBe(0);
  });

  test("origin-down for a moment, in the midst of many requests: each is right or mapped, each row is there once or not", async () => {
    const rounds = Array.from({ length: 12 }, () => actsOn(stage));
    const acts = rounds.flatMap((round) => Object.values(round));
    await emptyCache(stage);
    const running = acts.map((act) => act.run());
    await arm(stage, { kind: "origin-down", seconds: 0.5 });
    const answers = await Promise.all(running);
    await expectAllWell(stage);
    for (const [at, act] of acts.entries()) if (answers[at]) expectRightOrMapped(answers[at], act);
    for (const round of rounds) {
      const act = round["a write"];
      const count = await rowsNamed(stage, act.name);
      expect(count).toBeLessThanOrEqual(1);
      if (answers[acts.indexOf(act)]?.status === 200) expect(count).toBe(1);
    }
  });

  test("none of it was an uncaught error", () => {
    expect(stage.dev.output()).not.toMatch(/uncaught|unhandled|never generate a response|hung/i);
  });
});
