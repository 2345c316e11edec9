import postgres from "postgres";

/** The roles that the worker's two bindings log in as. */
export const loginRoles = ["app_cached", "app_direct"] as const;
type LoginRole = (typeof loginRoles)[number];

/** Which of the two may log in already. Connects as the owner at `url`. */
export async function findLogins(url: string): Promise<string[]> {
  return withOwner(url, async (sql) => {
    const rows =
      await sql`select rolname from pg_roles where rolname in ${sql([...loginRoles])} and rolcanlogin order by 1`;
    return rows.map((row) => String(row.rolname));
  });
}

/** Gives both their logins, with these passwords, in one transaction. Connects as the owner at `url`. */
export async function setLogins(url: string, passwords: Record<LoginRole, string>): Promise<void> {
  await withOwner(url, (sql) =>
    sql.begin(async (tx) => {
      for (const role of loginRoles) {
        // ALTER ROLE takes no parameters; format() quotes what it is given.
        const [row] =
          await tx`select format('alter role %I login password %L', ${role}::text, ${passwords[role]}::text) as statement`;
        await tx.unsafe(String(row?.statement));
      }
    }),
  );
}

async function withOwner<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
