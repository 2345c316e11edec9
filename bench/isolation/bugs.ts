import type { AnyProcedure } from "@trpc/server";
import type postgres from "postgres";
import { connectionOf, createDb } from "../../api/core/database/doors.ts";
import { rls } from "../../api/core/database/rls.ts";
import { freshHeader } from "../../api/core/freshness-header.ts";
import { publicProcedure, userProcedure } from "../../api/core/procedures.ts";
import type { CacheOptions } from "../../dev/hyperdrive/cache/cache.ts";
import { columnsOf, limit, wanted } from "./careless.ts";
import type { Options, Send } from "./simulation.ts";

/** Something broken on purpose: in the database, in a procedure, in a request's way, or in the cache. */
export interface Bug {
  break?: (sql: postgres.Sql) => Promise<unknown>;
  procedures?: Record<string, AnyProcedure>;
  wrap?: (send: Send) => Send;
  cache?: CacheOptions;
  options?: Partial<Options>;
  /** What the checker says of it. */
  finding: RegExp;
}

const refused = () => [];

/** Defines a function anew, with `wrong` in the place of `right`. */
async function rewrite(sql: postgres.Sql, name: string, [right, wrong]: [string | RegExp, string]) {
  const [row] = await sql`select pg_get_functiondef(oid) as text from pg_proc where proname = ${name}`;
  const broken = String(row?.text).replace(right, wrong);
  if (broken === row?.text) throw new Error(`${name} has changed: the bug does not fit any more`);
  await sql.unsafe(broken);
}

const tenantTables = ["team", "team_member", "member", "invitation"];
const forTheCache = `grant usage on schema auth to app_cached; grant execute on function auth.org() to app_cached;
  ${tenantTables.map((table) => `grant select on ${table} to app_cached; create policy bug on ${table} for select to app_cached using (organization_id = (select auth.org()))`).join(";")}`;

/** Reads through the cached door, with the claims set when it connects: the cache does not know them. */
const readPrivatelyCached = userProcedure.input(wanted).query(async ({ ctx, input }) => {
  const url = new URL(ctx.env.HYPERDRIVE_CACHED.connectionString);
  const claims = JSON.stringify({ org: ctx.caller.membership?.organizationId });
  url.searchParams.set("options", `-c request.jwt.claims=${claims}`);
  const { trips, waitUntil } = ctx;
  const times = { connectTimeoutMs: 5000, queryTimeoutMs: 5000 };
  const db = createDb({ connectionString: url.href }, { leg: "db-cached", trips, waitUntil, pipeline: true, ...times });
  const [table, columns] = columnsOf(input.table, "app_cached");
  try {
    return await db.select(columns).from(table).limit(limit).catch(refused);
  } finally {
    await connectionOf(db).close();
  }
});

export const bugs: Record<string, Bug> = {
  "a policy that lets everything through": {
    break: (sql) => sql.unsafe("alter policy team_policy on team using (true) with check (true)"),
    finding: /careless.*(shows zq|ok where NOT_FOUND)/,
  },
  "a policy without its check": {
    break: (sql) => sql.unsafe("alter policy team_policy on team with check (true)"),
    finding: /careless.plantTeam.*ok where NOT_FOUND/,
  },
  "a table without row-level security": {
    break: (sql) => sql.unsafe("alter table invitation disable row level security"),
    finding: /careless.read .*invitation.*shows zq/,
  },
  "a private table granted to the cached role": {
    break: (sql) =>
      sql.unsafe(
        "grant select on team to app_cached; create policy team_bug on team for select to app_cached using (true)",
      ),
    finding: /careless.readCached .*team.*shows zq/,
  },
  "a foreign key that does not ask for the organization": {
    break: (sql) =>
      sql.unsafe(`alter table team_member drop constraint team_member_member_fk,
        add constraint team_member_member_fk foreign key (member_id) references member (id) on delete cascade`),
    finding: /careless.addToTeam.*ok where NOT_FOUND/,
  },
  "a definer function that does not ask whose invitation it is": {
    break: (sql) => rewrite(sql, "accept_invitation", [/u\.email = i\.email AND u\.email_verified AND /i, ""]),
    finding: /invitations.accept.*ok where NOT_FOUND/,
  },
  "a caller who is not asked for the membership": {
    break: (sql) => rewrite(sql, "resolve_caller", [/m\.user_id = u\.id AND /i, ""]),
    finding: /ok where FORBIDDEN|shows (zq|mem|org|team)/,
  },
  "an organization in the header that is replaced by another": {
    wrap: (send) => async (request) => {
      const again = request.clone();
      const response = await send(request);
      if (!(await response.clone().text()).includes("not_a_member")) return response;
      again.headers.delete("x-organization");
      return send(again);
    },
    finding: /ok where FORBIDDEN/,
  },
  "a claim that comes from a header": {
    procedures: {
      read: publicProcedure.input(wanted).query(({ ctx, input }) => {
        const [table, columns] = columnsOf(input.table, "authenticated");
        const org = ctx.headers.get("x-organization");
        const actor = { role: "authenticated", claims: org ? { org } : {} } as const;
        return rls(ctx.dbDirect, actor, async (tx) => tx.select(columns).from(table).limit(limit)).catch(refused);
      }),
    },
    finding: /careless.read.*(ok where FORBIDDEN|shows zq)/,
  },
  "rls() that does not take on its role": {
    procedures: {
      read: userProcedure.input(wanted).query(({ ctx, input }) => {
        const [table, columns] = columnsOf(input.table, "authenticated");
        return ctx.dbDirect.select(columns).from(table).limit(limit).catch(refused);
      }),
    },
    finding: /careless.read .*"(user|session|identity)".*shows/,
  },
  "a role that is left set": {
    procedures: {
      read: userProcedure.input(wanted).query(async ({ ctx, input }) => {
        const [table, columns] = columnsOf(input.table, "authenticated");
        // Hyperdrive takes a session's role back between transactions; this one is left open.
        await connectionOf(ctx.dbDirect).query("begin; select set_config('role', 'service', true)");
        return ctx.dbDirect.select(columns).from(table).limit(limit).catch(refused);
      }),
    },
    options: { operations: 300, untilFound: false },
    finding: /careless.read .*"(organization|member|invitation)".*shows/,
  },
  "the cached door for what is private": {
    break: (sql) => sql.unsafe(forTheCache),
    procedures: { readCached: readPrivatelyCached },
    options: { operations: 1500, tenants: 2, haste: 0, untilFound: false },
    finding: /the shadow saw \d+ leaks/,
  },
  "an answer to a write without its freshness token": {
    wrap: (send) => async (request) => {
      const response = await send(request);
      response.headers.delete(freshHeader);
      return response;
    },
    options: { operations: 400, untilFound: false },
    finding: /reads page-.*having written/,
  },
  "a cache that keeps answers for ten minutes": {
    cache: { maxAgeMs: 600_000 },
    options: { operations: 400, untilFound: false, haste: 0.1 },
    finding: /reads page-.*\(cached\), \d+ ms after it was replaced/,
  },
};
