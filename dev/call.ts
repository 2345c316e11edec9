import { randomUUID } from "node:crypto";
import { Refusal, runCommand } from "@repo/db/scripts/cli";
import { readTarget } from "@repo/db/scripts/env";
import { pendingMigrations } from "@repo/db/scripts/migrate";
import { type ApiParts, type CallRuntime, loadApi } from "./api-loader.ts";
import { openDoors } from "./database.ts";
import { ensureDevVars } from "./dev-vars.ts";
import { openPlatform } from "./platform.ts";
import { openSession } from "./session.ts";
import { leave } from "./stop.ts";

const usage = `bun call [<procedure> ['<json>']] [--as <e-mail>] [--organization <id>]

Runs one procedure with the worker's local bindings: its answer as JSON on stdout, trips and time on stderr. Without a
procedure it lists them; without an input it sends {}.
  --as            as this user, in a session that ends with the call
  --organization  the organization that the call speaks for`;

interface Call {
  path: string;
  input: unknown;
  as: string | undefined;
  organization: string | undefined;
}

function listProcedures({ appRouter }: ApiParts): void {
  const procedures = Object.entries(appRouter._def.procedures).sort(([one], [other]) => (one < other ? -1 : 1));
  const width = Math.max(...procedures.map(([path]) => path.length));
  for (const [path, { _def }] of procedures) console.log(`${path.padEnd(width)}  ${_def.type}`);
}

function checkCall({ appRouter }: ApiParts, path: string): void {
  const procedure = Object.hasOwn(appRouter._def.procedures, path) ? appRouter._def.procedures[path] : undefined;
  if (!procedure) throw new Refusal(`There is no procedure ${path}; bun call lists them.`);
  if (procedure._def.type === "subscription")
    throw new Refusal(`${path} is a subscription: listen to it through the API.`);
}

function parseInput(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(`The input is no JSON: ${error instanceof Error ? error.message : error}`);
  }
}

async function call(api: ApiParts, { path, input, as, organization }: Call): Promise<void> {
  ensureDevVars();
  const database = await openDoors(readTarget({ localOnly: "bun call" }));
  try {
    const pending = await pendingMigrations(database.owner);
    if (pending.length > 0)
      throw new Refusal(`${database.description} has migrations to come: run bun db:migrate first.`);
    const platform = await openPlatform(database);
    const env = api.getEnv(platform.env);
    const session = as ? await openSession(database.owner, as, String(platform.env.AUTH_SECRET)) : undefined;
    try {
      const headers = new Headers();
      if (session) headers.set("authorization", session.authorization);
      if (organization) headers.set("x-organization", organization);
      await runProcedure(api, { env, headers, path, input });
      await runQueued(api, env, platform.queued);
    } finally {
      await session?.end();
      await platform.dispose();
    }
  } finally {
    await database.close();
  }
}

interface Run {
  env: object;
  headers: Headers;
  path: string;
  input: unknown;
}

async function runProcedure(api: ApiParts, { env, headers, path, input }: Run): Promise<void> {
  await withRuntime(env, async (runtime) => {
    const context = await api.createContext(runtime, headers);
    const started = performance.now();
    try {
      const answer = await procedureAt(api.createCallerFactory(api.appRouter)(context), path)(input);
      console.log(JSON.stringify(answer ?? null, null, 2));
    } catch (error) {
      throw new Refusal(describe(error));
    } finally {
      console.error(
        `${context.trips.total} trip${context.trips.total === 1 ? "" : "s"}, ${(performance.now() - started).toFixed(1)} ms`,
      );
      api.closeContext(context);
    }
  });
}

function procedureAt(caller: object, path: string): (input: unknown) => Promise<unknown> {
  return path.split(".").reduce((at, name) => Reflect.get(at, name), caller) as ReturnType<typeof procedureAt>;
}

async function runQueued(api: ApiParts, env: object, queued: unknown[]): Promise<void> {
  if (queued.length === 0) return;
  const ack = () => {};
  const retry = () => console.error("A job failed; its message is above.");
  const messages = queued.map((body) => ({ body, ack, retry }));
  const jobs = api.modules.flatMap((module) => module.jobs ?? []);
  await withRuntime(env, (runtime) => api.runBatch(jobs, { messages }, runtime));
  console.error(`${queued.length} queued, run`);
}

/** Waits for what the work leaves to the background, as a worker does. */
async function withRuntime(env: object, work: (runtime: CallRuntime) => Promise<void>): Promise<void> {
  const background: Promise<unknown>[] = [];
  try {
    await work({ env, requestId: randomUUID(), waitUntil: (promise) => void background.push(promise) });
  } finally {
    while (background.length > 0) await Promise.allSettled(background.splice(0));
  }
}

/** `CODE: message`, and for an unknown failure what the API would only log. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : error;
  const of = (key: string) => (key in cause ? Reflect.get(cause, key) : undefined);
  const reason = of("reason") ? ` (${of("reason")})` : "";
  const unknown = of("code") === "INTERNAL" && cause.cause instanceof Error ? `\n${cause.cause.stack}` : "";
  return `${of("code") ?? "ERROR"}: ${cause.message}${reason}${unknown}`;
}

await runCommand({
  usage,
  options: { as: { type: "string" }, organization: { type: "string" } },
  maxArguments: 2,
  async run({ as, organization }, [path, text]) {
    readTarget({ localOnly: "bun call" });
    const api = await loadApi();
    if (path === undefined) return listProcedures(api);
    checkCall(api, path);
    await call(api, { path, input: parseInput(text), as, organization });
  },
});
await leave();
