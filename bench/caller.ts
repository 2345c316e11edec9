// What the whole stack costs: an authenticated user.me against a bare worker that asks the database one question.
//   bun run bench:caller
import { join } from "node:path";
import { migrateDatabase } from "@repo/db/scripts/migrate";
import { serializeSigned } from "hono/utils/cookie";
import postgres from "postgres";
import { unstable_startWorker } from "wrangler";
import { sessionCookie } from "../api/core/caller.ts";
import { startPostgres } from "../dev/postgres.ts";
import { alternate } from "./load.ts";

const secret = "a secret of the benchmark, long enough for the check";
const appUrl = "http://127.0.0.1:8787";

const server = await startPostgres();
await migrateDatabase(server.ownerUrl);
const db = postgres(server.url, { max: 1, onnotice: () => {} });
await db.unsafe("alter role app_cached login password 'local'; alter role app_direct login password 'local'");
await db`insert into "user" (id, name, email) values ('user_bench', 'Bench', 'bench@example.com')`;
await db`insert into session (id, token, user_id, expires_at) values ('sess_bench', 'token', 'user_bench', now() + interval '1 day')`;
await db.end();

for (const door of ["cached", "direct"]) {
  const url = new URL(server.url);
  url.username = `app_${door}`;
  url.password = "local";
  process.env[`CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_HYPERDRIVE_${door.toUpperCase()}`] = url.href;
}
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";

const dev = { logLevel: "error", server: { port: 0 }, inspector: false, watch: false } as const;
const bindings = { AUTH_SECRET: { type: "plain_text", value: secret } } as const;
const whole = await unstable_startWorker({
  config: join(import.meta.dirname, "../wrangler.toml"),
  bindings,
  dev: { ...dev, persist: false },
});
const bare = await unstable_startWorker({
  config: join(import.meta.dirname, "bare.toml"),
  dev: { ...dev, persist: false },
});

const name = sessionCookie(appUrl);
const [cookie = ""] = (await serializeSigned(name, "token", secret)).split(";");

async function get(url: URL, headers: Record<string, string>, expected: string): Promise<void> {
  const response = await fetch(url, { headers });
  const text = await response.text();
  if (!response.ok || !text.includes(expected)) throw new Error(`${url} answered ${response.status}: ${text}`);
}

try {
  const me = new URL("/api/trpc/user.me", await whole.url);
  const least = new URL("/", await bare.url);
  const { wholeStack, bareWorker } = await alternate({
    wholeStack: () => get(me, { cookie }, "bench@example.com"),
    bareWorker: () => get(least, {}, "app_direct"),
  });
  console.log(`user.me, signed in: ${Math.round(wholeStack)} requests/s`);
  console.log(`bare worker:        ${Math.round(bareWorker)} requests/s`);
  console.log(`ratio:              ${(wholeStack / bareWorker).toFixed(2)} (at least 0.60 is asked for)`);
} finally {
  await whole.dispose();
  await bare.dispose();
  await server.stop();
}
