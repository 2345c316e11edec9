import { inject } from "vitest";

/** What crossed a wire since the last look; flights are strings of Postgres message letters. */
export interface WireCounts {
  opened: number;
  open: number;
  flights: string[];
}

/** A stretch of wire of the test's own between the worker and a binding, which counts and breaks. */
export interface Wire {
  /** To put in the binding's place. */
  binding: { connectionString: string };
  look(): Promise<WireCounts>;
  /** Breaks once a message holds `match`, before or after the server has seen it. */
  arm(match: string, phase: "before" | "after"): Promise<void>;
  down(): Promise<void>;
  up(): Promise<void>;
}

/** Opens a wire to the cached or the direct binding. */
export async function openWire(door: "cached" | "direct"): Promise<Wire> {
  const control = inject("control");
  const { port } = (await post(`${control}/${door}`)) as { port: number };
  const url = new URL(inject(door));
  url.port = String(port);
  const at = `${control}/${port}`;
  return {
    binding: { connectionString: url.href },
    look: async () => (await post(`${at}/look`)) as WireCounts,
    arm: async (match, phase) => void (await post(`${at}/arm`, { match, phase })),
    down: async () => void (await post(`${at}/down`)),
    up: async () => void (await post(`${at}/up`)),
  };
}

async function post(url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: body === undefined ? null : JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}
