import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Edge } from "./cache/edge.ts";
import type { FaultSpec, Faults } from "./legs/faults.ts";
import type { Clock } from "./watch/clock.ts";
import type { QueryLog } from "./watch/query-log.ts";
import type { StatsCounter } from "./watch/stats.ts";

/** What the control face looks at and moves. */
export interface Controlled {
  stats: StatsCounter;
  log: QueryLog;
  edge: Edge | null;
  clock: Clock;
  faults: Faults;
}

export interface Control {
  url: string;
  close(): Promise<void>;
}

const LARGEST_BODY = 64 * 1024;
const LOCAL_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;
const PATHS: Record<string, { method: "GET" | "POST"; usage: string }> = {
  "/stats": { method: "GET", usage: "GET /stats" },
  "/queries": { method: "GET", usage: "GET /queries?request=<application_name>&door=<cached|direct>" },
  "/events": { method: "GET", usage: "GET /events (server-sent events)" },
  "/reset": { method: "POST", usage: 'POST /reset or, for one alone, /reset {"only": "cache" | "stats" | "faults"}' },
  "/clock": { method: "POST", usage: 'POST /clock {"advanceMs": 61000}' },
  "/faults": { method: "POST", usage: 'POST /faults {"kind": "57P01"} or {"kind": "none"}' },
};
const RESETTABLE: readonly unknown[] = ["cache", "stats", "faults"];
const LOGGED_DOORS: readonly unknown[] = ["cached", "direct"];
/** What a listener may have unread before it is left. */
const LARGEST_BACKLOG = 1024 * 1024;

/** Opens the HTTP face on loopback: what happened, a clock for the cache, and faults. */
export async function startControl(controlled: Controlled, port: number): Promise<Control> {
  const server = createServer((request, response) => {
    answer(controlled, request, response).catch((error: unknown) => {
      if (!response.headersSent)
        sendJson(response, 400, { error: error instanceof Error ? error.message : String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(new Error(`The control face cannot listen on 127.0.0.1:${port} (${error.code}): choose another port.`));
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the control face has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(controlled: Controlled, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A web page that has its own name resolve to loopback must not get in.
  if (!LOCAL_HOST.test(request.headers.host ?? "")) return sendJson(response, 403, { error: "loopback only" });
  // Nor may one that only sends, which a browser lets it do anywhere.
  const { origin } = request.headers;
  if (origin !== undefined && !LOCAL_HOST.test(origin.replace(/^https?:\/\//, "")))
    return sendJson(response, 403, { error: "from pages on loopback only" });
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const path = PATHS[url.pathname];
  if (path === undefined) {
    const usages = Object.values(PATHS).map(({ usage }) => usage);
    return sendJson(response, 404, { error: `no such thing; there are: ${usages.join(", ")}` });
  }
  if (request.method !== path.method) {
    response.setHeader("allow", path.method);
    return sendJson(response, 405, { error: `not by ${request.method}: ${path.usage}` });
  }
  switch (url.pathname) {
    case "/stats":
      return sendJson(response, 200, statsOf(controlled));
    case "/queries":
      return sendJson(response, 200, queriesOf(controlled, url.searchParams));
    case "/events":
      return sendEvents(controlled.log, response);
    case "/reset":
      return sendJson(response, 200, reset(controlled, await readBody(request)));
    case "/clock":
      return sendJson(response, 200, moveClock(controlled.clock, await readBody(request)));
    default:
      return sendJson(response, 200, arm(controlled.faults, await readBody(request)));
  }
}

function statsOf({ stats, log, edge, clock, faults }: Controlled) {
  return {
    now: clock.now(),
    doors: stats.snapshot(),
    traffic: log.traffic(),
    statuses: Object.fromEntries(log.statuses),
    caches: edge === null ? [] : edge.caches.map((cache) => cache.size),
    shadow: { ...log.outcomes, findings: log.findings },
    faults: faults.list(),
  };
}

function queriesOf({ stats, log }: Controlled, search: URLSearchParams) {
  refuseOthers(Object.fromEntries(search), ["request", "door"]);
  const [request, door] = [search.get("request"), search.get("door")];
  if (door !== null && !LOGGED_DOORS.includes(door)) throw new RangeError("the doors that log are cached and direct");
  const queries = log.queries(request).filter((query) => door === null || query.door === door);
  return request === null ? { queries } : { request, doors: stats.perRequest(request), queries };
}

/** Empties the caches, forgets what was counted and ends the faults; `{"only": "cache" | "stats" | "faults"}`: that alone. */
function reset({ stats, log, edge, faults }: Controlled, body: Record<string, unknown>) {
  refuseOthers(body, ["only"]);
  if (body.only !== undefined && !RESETTABLE.includes(body.only))
    throw new RangeError(`"only" is one of ${RESETTABLE.join(", ")}`);
  const isMeant = (what: string) => body.only === undefined || body.only === what;
  if (isMeant("cache")) for (const cache of edge?.caches ?? []) cache.clear();
  if (isMeant("faults")) faults.clear();
  if (isMeant("stats")) {
    stats.reset();
    log.reset();
  }
  return { ok: true };
}

function moveClock(clock: Clock, body: Record<string, unknown>) {
  refuseOthers(body, ["advanceMs", "database"]);
  const { advanceMs, database } = body;
  if (typeof advanceMs !== "number") throw new RangeError('say how far: {"advanceMs": 61000}');
  if (database !== undefined && typeof database !== "string") throw new RangeError("database is a name");
  clock.advance(advanceMs, database);
  return { now: clock.now(database) };
}

function arm(faults: Faults, body: Record<string, unknown>) {
  if (body.kind === "none") {
    refuseOthers(body, ["kind"]);
    faults.clear();
  } else {
    // `arm` checks what came.
    faults.arm(body as unknown as FaultSpec);
  }
  return { faults: faults.list() };
}

function sendEvents(log: QueryLog, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(": connected\n\n");
  const stop = log.listen((record) => {
    if (response.writableLength > LARGEST_BACKLOG) response.destroy();
    else response.write(`event: ${record.type}\ndata: ${JSON.stringify(record)}\n\n`);
  });
  response.on("close", stop);
}

/** A misspelt key would otherwise do what its absence does, which is more. */
function refuseOthers(body: Record<string, unknown>, known: readonly string[]): void {
  const other = Object.keys(body).find((key) => !known.includes(key));
  if (other !== undefined) throw new RangeError(`"${other}" means nothing here; there are ${known.join(", ")}`);
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  if (Number(request.headers["content-length"] ?? 0) > LARGEST_BODY) throw new RangeError("the body is too large");
  const body = await textOf(request);
  const value: unknown = body === "" ? {} : JSON.parse(body);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError("expected a JSON object");
  return { ...value };
}

/** Of a body too large, which need not say its length, nothing is kept. */
async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= LARGEST_BODY) chunks.push(chunk);
  }
  if (size > LARGEST_BODY) throw new RangeError("the body is too large");
  return Buffer.concat(chunks).toString("utf8");
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
