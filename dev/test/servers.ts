import { chownSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { type RunningPostgres, startPostgres } from "../postgres.ts";
import { selfSigned } from "./certificate.ts";

export interface TestServer extends RunningPostgres {
  /** A new, empty database of the owner's in this cluster; its address as the owner. */
  newDatabase(): Promise<string>;
}

/** A Postgres 17 whose owner is no superuser but has CREATEROLE, CREATEDB and BYPASSRLS, as Neon's. */
export async function startServer(): Promise<TestServer> {
  const server = await startPostgres();
  let count = 0;
  return {
    ...server,
    async newDatabase() {
      const name = `database_${++count}`;
      await asked(server.ownerUrl, (sql) => sql.unsafe(`create database ${name}`));
      const url = new URL(server.ownerUrl);
      url.pathname = name;
      return url.href;
    },
  };
}

export interface TlsServer extends TestServer {
  /** Its certificate, in PEM: good for `localhost` with whoever trusts it. */
  certificate: string;
}

/** The same, speaking TLS and nothing else. Its addresses say `sslmode=require`. */
export async function startTlsServer(): Promise<TlsServer> {
  const server = await startServer();
  const { certificate, key } = selfSigned();
  await asked(server.url, async (sql) => {
    const [row] = await sql`show data_directory`;
    const folder = String(row?.data_directory);
    writeFileSync(join(folder, "server.crt"), certificate);
    writeFileSync(join(folder, "server.key"), key, { mode: 0o600 });
    const { uid, gid } = statSync(folder);
    for (const file of ["server.crt", "server.key"]) chownSync(join(folder, file), uid, gid);
    const rules = join(folder, "pg_hba.conf");
    writeFileSync(rules, readFileSync(rules, "utf8").replaceAll(/^host\b/gm, "hostssl"));
    await sql`alter system set ssl = on`;
    await sql`select pg_reload_conf()`;
  });
  const secure = (url: string) => `${url}?sslmode=require`;
  return {
    ...server,
    certificate,
    url: secure(server.url),
    ownerUrl: secure(server.ownerUrl),
    // Made past the helper above, whose connections the server now refuses.
    async newDatabase() {
      const name = `secure_${Math.random().toString(36).slice(2)}`;
      await asked(secure(server.ownerUrl), (sql) => sql.unsafe(`create database ${name}`));
      return server.ownerUrl.replace(/[^/]*$/, `${name}?sslmode=require`);
    },
  };
}

/** What one connection to `url` is told. */
export async function asked<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
