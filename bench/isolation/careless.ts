import { eq, getTableColumns, is } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import * as z from "zod";
import { AppError } from "../../api/core/errors/app-error.ts";
import { publicProcedure, userProcedure } from "../../api/core/procedures.ts";
import { TableAccess } from "../../db/schema/access.ts";
import * as schema from "../../db/schema/index.ts";

const values = Object.values<unknown>(schema);
const tables = new Map(
  values.filter((value): value is PgTable => is(value, PgTable)).map((table) => [getTableConfig(table).name, table]),
);
const accesses = values.filter((value) => value instanceof TableAccess);

export const tableNames = [...tables.keys()];

/** Those that the direct door shows no more of than the cached one: all but the tables of sign-in. */
export const directNames = tableNames.filter((name) => {
  const grants = accesses.find(({ table }) => table === tables.get(name))?.grants;
  return JSON.stringify(grants?.app_direct) === JSON.stringify(grants?.app_cached);
});

export const wanted = z.object({ table: z.enum(tableNames) });
export const limit = 300;

/** The columns that a role may read; all, where it may read none: then the database is to refuse. */
export function columnsOf(name: string, role: schema.RuntimeRole) {
  const table = tables.get(name);
  if (!table) throw new Error(`no table ${name}`);
  const granted = accesses.find((access) => access.table === table)?.grants[role]?.select ?? "all";
  const columns = getTableColumns(table);
  const picked = Object.entries(columns).filter(([key]) => granted === "all" || granted.includes(key));
  return [table, Object.fromEntries(picked)] as const;
}

const refused = () => [];
async function orForbidden<T>(work: Promise<T[]>): Promise<T[]> {
  const rows = await work.catch(() => {
    throw new AppError("FORBIDDEN", "refused by the database");
  });
  if (rows.length === 0) throw new AppError("NOT_FOUND", "no such row");
  return rows;
}

/** Procedures as somebody writes them who has forgotten every filter: the database alone stands between tenants. */
export const careless = {
  read: userProcedure.input(wanted).query(({ ctx, input }) => {
    const [table, columns] = columnsOf(input.table, "authenticated");
    return ctx.rls(async (tx) => tx.select(columns).from(table).limit(limit)).catch(refused);
  }),
  readCached: publicProcedure.input(wanted).query(({ ctx, input }) => {
    const [table, columns] = columnsOf(input.table, "app_cached");
    return ctx.db.select(columns).from(table).limit(limit).catch(refused);
  }),
  readDirect: publicProcedure.input(wanted).query(({ ctx, input }) => {
    const [table, columns] = columnsOf(input.table, "app_cached");
    return ctx.dbDirect.select(columns).from(table).limit(limit).catch(refused);
  }),
  renameTeam: userProcedure
    .input(z.object({ id: z.string(), name: z.string() }))
    .mutation(({ ctx, input }) =>
      orForbidden(
        ctx.rls(async (tx) =>
          tx.update(schema.team).set({ name: input.name }).where(eq(schema.team.id, input.id)).returning(),
        ),
      ),
    ),
  plantTeam: userProcedure
    .input(z.object({ organizationId: z.string(), name: z.string() }))
    .mutation(({ ctx, input }) =>
      orForbidden(
        // Without RETURNING, which would ask the policy for reading too.
        ctx.rls(async (tx) => {
          await tx.insert(schema.team).values(input);
          return [input];
        }),
      ),
    ),
  addToTeam: userProcedure
    .input(z.object({ organizationId: z.string(), teamId: z.string(), memberId: z.string() }))
    .mutation(({ ctx, input }) =>
      orForbidden(ctx.rls(async (tx) => tx.insert(schema.teamMember).values(input).returning())),
    ),
};
