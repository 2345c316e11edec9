import type { PGlite } from "@electric-sql/pglite";
import type postgres from "postgres";
import { actors } from "./world.ts";

export interface Answer {
  rows: Record<string, unknown>[];
  /** How many rows the statement reached. */
  count: number;
}

/** One session of the schema's owner, in a database of its own. */
export interface Sql {
  /** Runs one statement. */
  ask(statement: string): Promise<Answer>;
  /** Runs several statements, in order. */
  run(statements: string): Promise<void>;
}

export function overPglite(pglite: PGlite): Sql {
  return {
    async ask(statement) {
      const [answer] = await pglite.exec(statement);
      const rows = answer?.rows ?? [];
      return { rows, count: answer?.affectedRows ?? rows.length };
    },
    run: async (statements) => void (await pglite.exec(statements)),
  };
}

/** `client` must have one connection. */
export function overPostgres(client: postgres.Sql): Sql {
  return {
    async ask(statement) {
      const rows = await client.unsafe(statement).simple();
      return { rows: [...rows], count: rows.count };
    },
    run: async (statements) => void (await client.unsafe(statements).simple()),
  };
}

/** Lets the owner act as the two login roles too, and opens the transaction that all of it happens in. */
export async function prepare(sql: Sql): Promise<void> {
  const roles = [...new Set(actors.map(({ role }) => role))];
  await sql.run(`grant ${roles.join(", ")} to current_user with set true, inherit false; begin`);
}
