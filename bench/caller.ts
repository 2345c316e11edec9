// What the whole stack costs: an authenticated user.me against a bare worker that asks the database one question.
//   bun run bench:caller
import { serializeSigned } from "hono/utils/cookie";
import { sessionCookie } from "../api/core/caller.ts";
import { alternate } from "./load.ts";
import { authSecret, serveDatabase, startWorker } from "./serve.ts";

const appUrl = "http://127.0.0.1:8787";
const database = await serveDatabase(async (sql) => {
  await sql`insert into "user" (id, name, email) values ('user_bench', 'Bench', 'bench@example.com')`;
  await sql`insert into session (id, token, user_id, expires_at) values ('sess_bench', 'token', 'user_bench', now() + interval '1 day')`;
});
const whole = await startWorker("../wrangler.toml");
const bare = await startWorker("bare.toml");

const name = sessionCookie(appUrl);
const [cookie = ""] = (await serializeSigned(name, "token", authSecret)).split(";");

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
  await database.stop();
}
