// Whether the time of an answer tells if an address is known: wrong passwords for known and unknown addresses.
//   bun run bench:sign-in
import { hashPassword } from "../api/modules/identity/auth/password.ts";
import { serveDatabase, startWorker } from "./serve.ts";

const samples = 60;
const password = await hashPassword("correct horse battery");
const database = await serveDatabase(async (sql) => {
  for (let n = 0; n < samples; n++) {
    const id = `user_bench_${n}`;
    await sql`insert into "user" (id, name, email, email_verified) values (${id}, 'Bench', ${`known-${n}@example.com`}, true)`;
    await sql`insert into identity (id, user_id, provider_id, account_id, password) values (${`idn_${n}`}, ${id}, 'credential', ${id}, ${password})`;
  }
});
const worker = await startWorker("../wrangler.toml");

/** Milliseconds until the refusal. */
async function refused(email: string, ip: string): Promise<number> {
  const started = performance.now();
  const response = await fetch(new URL("/api/auth/sign-in/email", await worker.url), {
    method: "POST",
    headers: { "content-type": "application/json", "cf-connecting-ip": ip, origin: "http://127.0.0.1:8787" },
    body: JSON.stringify({ email, password: "wrong horse battery" }),
  });
  await response.arrayBuffer();
  if (response.status !== 401) throw new Error(`answered ${response.status}`);
  return performance.now() - started;
}

function summary(name: string, times: number[]): string {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return `${name} median ${at(0.5)} ms, 5 % ${at(0.05)} ms, 95 % ${at(0.95)} ms`;
}

try {
  const known: number[] = [];
  const unknown: number[] = [];
  await refused("warm-up@example.com", "10.1.0.1");
  for (let n = 0; n < samples; n++) {
    known.push(await refused(`known-${n}@example.com`, `10.2.0.${n}`));
    unknown.push(await refused(`unknown-${n}@example.com`, `10.3.0.${n}`));
  }
  console.log(`wrong password, ${samples} times each, in turn`);
  console.log(summary("known address:  ", known));
  console.log(summary("unknown address:", unknown));
} finally {
  await worker.dispose();
  await database.stop();
}
