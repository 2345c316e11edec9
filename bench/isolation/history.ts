/** One write or read of a register that counts up: who, which, what, and when by the Hyperdrive's clock. */
export interface Event {
  client: string;
  kind: "write" | "read";
  key: string;
  value: number;
  /** Milliseconds. A write whose answer was lost never ends. */
  start: number;
  end: number;
  /** `fresh`: past the cache, since the client carries a token of its own write. */
  door: "fresh" | "cached";
}

/** How old an answer may be: max_age, stale_while_revalidate, and a second for the way. */
export const longestAgeMs = 76_000;

/**
 * What in a recorded history breaks the promises: the writer reads its own write; who reads past the cache reads what
 * was current during the read; who reads through it, what was current at most 76 s before; nobody reads what nobody
 * has written. Values of a key count up from 0, which was there before, and one client writes them.
 */
export function violations(history: readonly Event[]): string[] {
  const writes = new Map<string, Event>();
  for (const event of history) if (event.kind === "write") writes.set(`${event.key} ${event.value}`, event);
  const ofClient = Map.groupBy(writes.values(), ({ client, key }) => `${client} ${key}`);
  return history.flatMap((read) => {
    if (read.kind === "write") return [];
    return judge(read, writes, ofClient.get(`${read.client} ${read.key}`) ?? []);
  });
}

function judge(read: Event, writes: Map<string, Event>, own: Event[]): string[] {
  const { client, key, value, start, end, door } = read;
  const said = `${client} reads ${key} = ${value} at ${start}`;
  const written = writes.get(`${key} ${value}`);
  if (!written && value !== 0) return [`${said}, which nobody wrote`];
  if (written && written.start > end) return [`${said}, before it was written`];
  const latest = Math.max(0, ...own.filter((write) => write.end <= start).map((write) => write.value));
  if (value < latest) return [`${said}, having written ${latest}`];
  // It was current until the next write ended.
  const next = writes.get(`${key} ${value + 1}`);
  const ageMs = next ? start - next.end : 0;
  const allowed = door === "fresh" ? 0 : longestAgeMs;
  return ageMs > allowed ? [`${said} (${door}), ${ageMs} ms after it was replaced`] : [];
}
