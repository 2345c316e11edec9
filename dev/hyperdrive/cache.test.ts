import { describe, expect, it } from "vitest";
import { type CacheOptions, cacheKey, ENTRY_BYTES, ResultCache } from "./cache/cache.ts";
import type { Answer } from "./pool/answer.ts";
import { heldBytes } from "./testing/memory.ts";
import { createClock } from "./watch/clock.ts";

const parts = {
  user: "app",
  database: "d",
  sql: "select 1",
  types: Buffer.of(0, 0),
  bound: Buffer.of(0, 0, 0, 0, 0, 0),
};

function result(rows = "row"): Answer {
  return { description: null, rows: Buffer.from(rows), rowCount: 1, complete: Buffer.from("done"), columns: null };
}

function setUp(options: CacheOptions = {}) {
  const clock = createClock(() => 1_000_000);
  const cache = new ResultCache<string>(clock, options);
  const store = (key: string, rows?: string) =>
    cache.store(key, result(rows), { author: "ada", startedAt: clock.now() });
  return { clock, cache, store };
}

describe("cacheKey", () => {
  it("is the same whatever the comments say", () => {
    expect(cacheKey({ ...parts, sql: "/* request 7 */ select 1 -- x" })).toBe(cacheKey(parts));
  });

  it.each([
    ["user", { user: "other" }],
    ["database", { database: "e" }],
    ["SQL", { sql: "select 2" }],
    ["types", { types: Buffer.of(0, 1, 0, 0, 0, 23) }],
    ["values and formats", { bound: Buffer.of(0, 0, 0, 0, 0, 1, 0, 1) }],
  ])("differs by %s", (_, change) => {
    expect(cacheKey({ ...parts, ...change })).not.toBe(cacheKey(parts));
  });

  it("keeps what only looks like a comment", () => {
    expect(cacheKey({ ...parts, sql: "select '/* a */'" })).not.toBe(cacheKey({ ...parts, sql: "select '/* b */'" }));
  });
});

describe("ResultCache", () => {
  it("is fresh for 60 s, stale for 15 s more, then gone", () => {
    const { clock, cache, store } = setUp();
    store("k");
    clock.advance(59_999);
    expect(cache.find("k")).toMatchObject({ isStale: false, ageMs: 59_999, author: "ada" });
    clock.advance(1);
    expect(cache.find("k")).toMatchObject({ isStale: true });
    clock.advance(14_999);
    expect(cache.find("k")).toMatchObject({ isStale: true });
    clock.advance(1);
    expect(cache.find("k")).toBeNull();
    expect(cache.size).toEqual({ entries: 0, bytes: 0 });
  });

  it("lets exactly one refresh, and another one when that failed", () => {
    const { clock, cache, store } = setUp();
    store("k", "old");
    clock.advance(61_000);
    expect([cache.claimRefresh("k"), cache.claimRefresh("k")]).toEqual([true, false]);
    cache.abandonRefresh("k");
    expect(cache.claimRefresh("k")).toBe(true);
    store("k", "new");
    expect(cache.find("k")).toMatchObject({ isStale: false, ageMs: 0, result: result("new") });
    expect(cache.claimRefresh("gone")).toBe(false);
  });

  it("keeps the newer answer when an older one arrives late", () => {
    const { clock, cache, store } = setUp();
    const startedAt = clock.now();
    clock.advance(10);
    store("k", "new");
    cache.store("k", result("old"), { author: "eve", startedAt });
    expect(cache.find("k")).toMatchObject({ author: "ada", result: result("new") });
  });

  it("refuses what is too large, and drops what was used longest ago", () => {
    const { cache, store } = setUp({ maxResultBytes: 20, maxTotalBytes: 30 + 4 * ENTRY_BYTES });
    expect(store("large", "x".repeat(30))).toBe(false);
    expect([store("a"), store("b"), store("c"), store("d")]).toEqual([true, true, true, true]);
    cache.find("a");
    store("e");
    expect(["a", "b", "c", "d", "e"].map((key) => cache.find(key) !== null)).toEqual([true, false, true, true, true]);
    expect(cache.size.bytes).toBe(28 + 4 * ENTRY_BYTES);
  });

  it("holds no more memory than it may, however small the answers are", () => {
    const maxTotalBytes = 16 * 1024 * 1024;
    const { cache, store } = setUp({ maxTotalBytes });
    const before = heldBytes();
    for (let i = 0; i < 50_000; i++) {
      store(cacheKey({ ...parts, sql: `select ${i}` }), String(i));
      // What else a server allocates in between shares its memory with what is kept.
      Buffer.from("x".repeat(1000));
    }
    expect(heldBytes() - before).toBeLessThan(1.25 * maxTotalBytes);
    expect(cache.size.entries).toBeGreaterThan(1000);
  });

  it("knows Hyperdrive's bound on max_age", () => {
    expect(() => setUp({ maxAgeMs: 3_600_001 })).toThrow("max_age must be between 0 and 1 hour");
    expect(() => setUp({ staleMs: -1 })).toThrow(RangeError);
  });
});
