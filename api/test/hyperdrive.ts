import { inject } from "vitest";

/** One query as the local Hyperdrive saw it. */
export interface SeenQuery {
  request: string;
  door: "cached" | "direct";
  sql: string;
  /** Hyperdrive's cache status: hit, miss, volatile … */
  status: string;
  reason: string;
  /** Why the real Hyperdrive might not cache it all the same. */
  doubt?: string;
  ageMs?: number;
}

interface DoorCounts {
  opened: number;
  flights: number;
  originFlights: number;
  statements: number;
}

/** What one request sent, and in how many trips. `requestId`: the answer's x-request-id. */
export async function queriesOf(requestId: string) {
  const path = `/queries?request=${encodeURIComponent(requestId)}`;
  return (await ask(path)) as { doors: Record<"cached" | "direct", DoorCounts>; queries: SeenQuery[] };
}

/** Everything that has come through the cached door lately. */
export async function cachedQueries(): Promise<SeenQuery[]> {
  return ((await ask("/queries?door=cached")) as { queries: SeenQuery[] }).queries;
}

// `/ready` asks on purpose what no cache may answer.
const probe = "select now()";

/** A test that sends what is not cacheable on purpose begins its request's id with this. */
export const deliberate = "deliberate-";

/** Each query that a request sent through `ctx.db` and that Hyperdrive would not cache, with the reason. */
export function uncacheable(queries: SeenQuery[]): string[] {
  return queries
    .filter(({ request, sql, status, doubt }) => {
      // What a test sends by itself carries no request.
      if (request === "" || sql === probe) return false;
      return (status !== "hit" && status !== "miss") || doubt !== undefined;
    })
    .map(({ status, reason, doubt, sql }) => `${status}, ${doubt ?? reason}: ${sql}`);
}

/** What the shadow found when it compared hits with the database. */
export async function shadowFindings() {
  const { shadow } = (await ask("/stats")) as {
    shadow: { leak: number; findings: { outcome: string; sql: string; caller: string; author: string }[] };
  };
  return shadow;
}

/** A cache of the test's own: to put in the cached binding's place, with a clock that ages its answers and nothing else. */
export function openCache() {
  const url = new URL(inject("cached"));
  const database = crypto.randomUUID();
  url.pathname = `/${database}`;
  return {
    overrides: { HYPERDRIVE_CACHED: { connectionString: url.href } },
    pass: (seconds: number) => ask("/clock", { advanceMs: seconds * 1000, database }),
  };
}

async function ask(path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`${inject("hyperdrive")}${path}`, init);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}
