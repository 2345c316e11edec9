import type { Context } from "../context.ts";
import { freshCookie, freshHeader, freshToken } from "../freshness.ts";

/** `Server-Timing`: each leg's waiting time and trips, and the handler as a whole. Milliseconds. */
export function serverTiming({ trips }: Context, started: number): string {
  const leg = (name: "auth" | "db-cached" | "db-direct") =>
    `${name};dur=${trips.milliseconds(name).toFixed(1)};desc="${trips.count(name)} trips"`;
  const handler = (performance.now() - started).toFixed(1);
  return [leg("auth"), leg("db-cached"), leg("db-direct"), `handler;dur=${handler}`].join(", ");
}

/** After a write: the header and the cookie that take the writer past the cache. */
export async function freshHeaders({ env, freshness }: Context): Promise<[string, string][]> {
  if (!freshness.wrote) return [];
  const token = await freshToken(env.AUTH_SECRET, Date.now() + env.FRESH_SECONDS * 1000);
  const secure = env.APP_URL.startsWith("https:") ? "; Secure" : "";
  return [
    [freshHeader, token],
    ["set-cookie", `${freshCookie}=${token}; Path=/; Max-Age=${env.FRESH_SECONDS}; HttpOnly; SameSite=Lax${secure}`],
  ];
}

/** The same response, calling `done` when its body has been sent or given up. */
export function onceSent(response: Response, done: () => void): Response {
  const type = response.headers.get("content-type") ?? "";
  if (!response.body || !/jsonl|event-stream/.test(type)) {
    done();
    return response;
  }
  const pass = new TransformStream<Uint8Array, Uint8Array>();
  response.body.pipeTo(pass.writable).then(done, done);
  return new Response(pass.readable, response);
}
