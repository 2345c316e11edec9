import type { Hono } from "hono";
import postgres from "postgres";
import { freshHeader } from "../../api/core/freshness-header.ts";
import type { HonoEnv } from "../../api/core/modules.ts";
import type { Doors } from "../../dev/doors.ts";
import { type Event, violations } from "./history.ts";
import { nextOperation, type Operation, type Random } from "./operations.ts";
import { appUrl, type Client, makeTenants, marksIn, secret, type Tenant } from "./tenants.ts";

export interface Options {
  operations: number;
  seed: number;
  tenants: number;
  /** Requests under way at once. */
  lanes?: number;
  /** How likely the Hyperdrive's clock moves with an operation, by up to 30 s; default 0.01. */
  haste?: number;
  /** Ends at the first finding. */
  untilFound?: boolean;
  onProgress?: (done: number, findings: number) => void;
}

export interface Report {
  operations: number;
  /** How often each kind of outcome came: `ok`, or a code. */
  outcomes: Record<string, number>;
  findings: string[];
  /** What the shadow saw, and how often the cache answered. */
  shadow: { same: number; stale: number; leak: number; unknown: number };
  hits: number;
  /** Reads and writes of pages, judged by the session checker. */
  history: number;
}

/** What a request is sent to; wrapped where a test breaks it. */
export type Send = (request: Request) => Promise<Response>;

/** A repeatable source of chance (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Bindings of the worker on these doors. Nothing here is stored or queued for later. */
export function bindingsOf({ cached, direct }: Doors): Record<string, unknown> {
  const nothing = async () => {};
  const unlimited = { limit: async () => ({ success: true }) };
  return {
    ENVIRONMENT: "test",
    AUTH_SECRET: secret,
    APP_URL: appUrl,
    // How long work takes on a busy machine is no finding.
    DB_CONNECT_TIMEOUT_MS: 60_000,
    DB_QUERY_TIMEOUT_MS: 60_000,
    HYPERDRIVE_CACHED: { connectionString: cached },
    HYPERDRIVE_DIRECT: { connectionString: direct },
    FILES: { get: async () => null, put: nothing, delete: nothing, list: async () => ({ objects: [] }) },
    JOBS: { send: nothing, sendBatch: nothing },
    API_KEY_LIMIT: unlimited,
    API_KEY_NETWORK_LIMIT: unlimited,
  };
}

/** Sends requests through the worker's fetch handler in this process, and waits for what it leaves behind. */
export function sendTo(app: Hono<HonoEnv>, doors: Doors): Send {
  const bindings = bindingsOf(doors);
  return async (request) => {
    const waits: Promise<unknown>[] = [];
    const context = {
      waitUntil: (promise: Promise<unknown>) => void waits.push(promise),
      passThroughOnException() {},
      props: {},
    };
    // Of the execution context, the worker uses waitUntil alone.
    const response = await app.fetch(request, bindings, context as unknown as ExecutionContext);
    const body = await response.arrayBuffer();
    await Promise.allSettled(waits);
    return new Response(body.byteLength > 0 ? body : null, response);
  };
}

/** Random work of many tenants, each answer held against a model of who owns what. */
export async function simulate(doors: Doors, send: Send, options: Options): Promise<Report> {
  const sql = postgres(doors.owner, { max: 1, onnotice: () => {} });
  try {
    const tenants = await makeTenants(sql, options.tenants);
    const run = new Run(doors, send, tenants);
    await run.work(options);
    await run.compare(sql);
    return run.report();
  } finally {
    await sql.end({ timeout: 5 });
  }
}

const typeId = /\b[a-z]+(?:_[a-z]+)*_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g;

class Run {
  readonly #doors: Doors;
  readonly #send: Send;
  readonly #tenants: Tenant[];
  readonly #owners = new Map<string, number>();
  readonly #outcomes: Record<string, number> = {};
  readonly #history: Event[] = [];
  readonly #findings: string[] = [];
  #done = 0;

  constructor(doors: Doors, send: Send, tenants: Tenant[]) {
    this.#doors = doors;
    this.#send = send;
    this.#tenants = tenants;
    for (const { index, organizationId, clients, teams, invitationId, resumeId } of tenants) {
      const people = clients.flatMap(({ userId, sessionId, memberId }) => [userId, sessionId, memberId]);
      for (const id of [organizationId, invitationId, resumeId, ...people, ...teams.keys()])
        this.#owners.set(id, index);
    }
  }

  async work({ operations, seed, lanes = 16, haste = 0.01, untilFound = false, onProgress }: Options): Promise<void> {
    const { clock } = this.#doors.hyperdrive.instruments;
    const clients = this.#tenants.flatMap((tenant) => tenant.clients);
    const lane = async (number: number) => {
      const random = randomFrom(seed * 1000 + number);
      // A client asks one thing at a time: each belongs to one lane.
      const ours = clients.filter((_, index) => index % lanes === number);
      while (ours.length > 0 && this.#done < operations && !(untilFound && this.#findings.length > 0)) {
        this.#done += 1;
        const done = this.#done;
        const client = ours[Math.floor(random() * ours.length)] as Client;
        if (random() < haste) clock.advance(Math.floor(random() * 30_000));
        const others = this.#tenants.filter((tenant) => tenant !== client.tenant);
        await this.#perform(client, nextOperation(client, random, others));
        if (done % 1000 === 0) onProgress?.(done, this.#findings.length);
      }
    };
    await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  }

  async #perform(client: Client, operation: Operation): Promise<void> {
    const now = () => this.#doors.hyperdrive.instruments.clock.now();
    const start = now();
    if (client.fresh && client.fresh.until <= start) delete client.fresh;
    const isFresh = client.fresh !== undefined && !operation.visitor;
    const response = await this.#send(requestOf(client, operation));
    const text = await response.text();
    const end = now();
    const token = response.headers.get(freshHeader);
    if (token) client.fresh = { token, until: end + 75_000 };
    const said = `${operation.visitor ? "a visitor" : client.name}: ${operation.procedure} ${JSON.stringify(operation.input) ?? ""}`;
    const { code, data } = parse(text);
    const outcome = code ?? "ok";
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    this.#judgeOutcome(said, operation, outcome);
    this.#judgeContent(said, client, [operation, text]);
    if (outcome === "ok") operation.learn?.(data);
    if (operation.register && outcome === "ok") {
      const { key, write } = operation.register;
      const value = write ?? Number((data as { data: { basics: { label: string } } }).data.basics.label);
      const kind = write === undefined ? "read" : "write";
      const name = operation.visitor ? "a visitor" : client.name;
      this.#history.push({ client: name, kind, key, value, start, end, door: isFresh ? "fresh" : "cached" });
    }
  }

  #judgeOutcome(said: string, { due, mutation }: Operation, outcome: string): void {
    // A starved machine loses connections, which shows nobody anything; of a write it leaves open whether it was done.
    if (outcome === "UNAVAILABLE" && !mutation) return;
    const fits = due === "any" ? outcome !== "INTERNAL" : due === "ok" ? outcome === "ok" : due.includes(outcome);
    const wanted = typeof due === "string" ? due : due.join(" or ");
    if (!fits) this.#findings.push(`${said}: ${outcome} where ${wanted} is due`);
  }

  /** Marks and ids of other tenants, in any answer. */
  #judgeContent(said: string, { tenant }: Client, [{ visitor, procedure, register }, text]: [Operation, string]): void {
    const isPublic =
      visitor || (register?.write === undefined && register !== undefined) || procedure.startsWith("careless.read");
    for (const mark of marksIn(text)) {
      const isOwn = mark === tenant.mark && !visitor;
      if (!isOwn) this.#findings.push(`${said}: shows ${mark}`);
    }
    for (const [id] of text.matchAll(typeId)) {
      if (isPublic && id.startsWith("resume_")) continue;
      const owner = this.#owners.get(id) ?? tenant.index;
      // An id that nobody has seen is new, and belongs to whoever is shown it first.
      this.#owners.set(id, owner);
      if (owner !== tenant.index && text.startsWith('{"result"')) this.#findings.push(`${said}: shows ${id}`);
    }
  }

  /** What the database holds in the end against what the model knows: an attack that went unnoticed has left a trace. */
  async compare(sql: postgres.Sql): Promise<void> {
    const differs = (what: string, seen: unknown, due: unknown) => {
      if (JSON.stringify(seen) !== JSON.stringify(due))
        this.#findings.push(`in the end ${what}: ${JSON.stringify(seen)} where ${JSON.stringify(due)} is due`);
    };
    const sorted = (rows: Iterable<unknown>) => [...rows].map((row) => JSON.stringify(row)).sort();
    for (const { mark, organizationId, name, teams, clients, invitationId, resumeId, page } of this.#tenants) {
      const [place] = await sql`select name from organization where id = ${organizationId}`;
      differs(`${mark}'s name`, place?.name, name);
      const rows = await sql`select id, name from team where organization_id = ${organizationId}`;
      differs(`${mark}'s teams`, sorted(rows.map((row) => [row.id, row.name])), sorted(teams));
      const members = await sql`select id, role from member where organization_id = ${organizationId}`;
      const people = clients.map(({ memberId, role }) => [memberId, role]);
      differs(`${mark}'s members`, sorted(members.map(({ id, role }) => [id, role])), sorted(people));
      const [invited] = await sql`select status from invitation where id = ${invitationId}`;
      differs(`${mark}'s invitation`, invited?.status, "pending");
      const [mine] = await sql`select name, is_public, version, deleted_at from resume where id = ${resumeId}`;
      differs(`${mark}'s résumé`, mine, { name: `Mine ${mark}`, is_public: false, version: 1, deleted_at: null });
      const [shown] =
        await sql`select version, public_data -> 'basics' ->> 'label' as label from resume where id = ${page.id}`;
      differs(`${mark}'s page`, shown, { version: page.version, label: String(page.value) });
      const sessions = await sql`select id from session where user_id in ${sql(clients.map(({ userId }) => userId))}`;
      differs(
        `${mark}'s sessions`,
        sorted(sessions.map(({ id }) => id)),
        sorted(clients.map(({ sessionId }) => sessionId)),
      );
    }
    const strays =
      await sql`select t.member_id from team_member t join member m on m.id = t.member_id where m.organization_id <> t.organization_id`;
    differs("members in other tenants' teams", strays.length, 0);
  }

  report(): Report {
    const { log } = this.#doors.hyperdrive.instruments;
    if (log.outcomes.leak > 0)
      this.#findings.push(
        `the shadow saw ${log.outcomes.leak} leaks: ${log.findings.find(({ outcome }) => outcome === "leak")?.sql}`,
      );
    this.#findings.push(...violations(this.#history));
    return {
      operations: this.#done,
      outcomes: this.#outcomes,
      findings: this.#findings,
      shadow: { ...log.outcomes },
      hits: log.statuses.get("hit") ?? 0,
      history: this.#history.length,
    };
  }
}

function requestOf(client: Client, { procedure, input, mutation, visitor, organization }: Operation): Request {
  const place = organization === undefined ? client.tenant.organizationId : organization;
  const octet = () => Math.floor(Math.random() * 250);
  const headers = new Headers({ "cf-connecting-ip": `10.${octet()}.${octet()}.${octet()}` });
  if (!visitor) headers.set("authorization", `Bearer ${client.bearer}`);
  if (place !== null) headers.set("x-organization", place);
  if (client.fresh && !visitor) headers.set(freshHeader, client.fresh.token);
  const url = new URL(`/api/trpc/${procedure}`, appUrl);
  if (mutation) {
    headers.set("content-type", "application/json");
    return new Request(url, { method: "POST", headers, body: JSON.stringify(input ?? {}) });
  }
  if (input !== undefined) url.searchParams.set("input", JSON.stringify(input));
  return new Request(url, { headers });
}

function parse(text: string): { code?: string; data?: unknown } {
  const { result, error } = JSON.parse(text) as {
    result?: { data: unknown };
    error?: { data?: { code: string }; code?: string };
  };
  return error ? { code: error.data?.code ?? String(error.code) } : { data: result?.data };
}
