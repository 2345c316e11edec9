import assert from "node:assert/strict";
import { test } from "node:test";
import { type Event, violations } from "./history.ts";

const key = "page";
const write = (value: number, start: number, [end = start + 10, client = "ada"]: [number?, string?] = []): Event => ({
  client,
  kind: "write",
  key,
  value,
  start,
  end,
  door: "fresh",
});
const read = (client: string, value: number, [start, door = "cached"]: [number, Event["door"]?]): Event => ({
  client,
  kind: "read",
  key,
  value,
  start,
  end: start + 5,
  door,
});

const good: Record<string, Event[]> = {
  "what was there before anybody wrote": [read("eve", 0, [5])],
  "the writer's own write, at once": [write(1, 0), read("ada", 1, [10, "fresh"])],
  "the old value, for somebody else and 76 s long": [write(1, 0), read("eve", 0, [76_000])],
  "the old value while the write is under way": [write(1, 0, [1000]), read("eve", 0, [999, "fresh"])],
  "the new value while the write is under way": [write(1, 0, [1000]), read("eve", 1, [500])],
  "the writer's later reads through the cache, once its own write is in it": [write(1, 0), read("ada", 1, [90_000])],
  "another's old value behind one's own write of another page": [
    { ...write(1, 0), key: "another" },
    write(1, 0, [10, "eve"]),
    read("ada", 0, [20]),
  ],
};

const bad: Record<string, [Event[], RegExp]> = {
  "the writer reads the old value": [[write(1, 0), read("ada", 0, [10, "fresh"])], /having written 1/],
  "the writer reads the old value through the cache": [[write(1, 0), read("ada", 0, [80_000])], /having written 1/],
  "the writer goes back behind its latest write": [
    [write(1, 0), write(2, 20), read("ada", 1, [40, "fresh"])],
    /having written 2/,
  ],
  "the cache is older than 76 s": [[write(1, 0), read("eve", 0, [76_011])], /\(cached\), 76001 ms/],
  "a read past the cache is stale": [[write(1, 0), read("eve", 0, [11, "fresh"])], /\(fresh\), 1 ms/],
  "a value that nobody wrote": [[write(1, 0), read("eve", 2, [50])], /nobody wrote/],
  "a value from the future": [[write(1, 100), read("eve", 1, [50])], /before it was written/],
};

for (const [name, history] of Object.entries(good)) {
  test(`allowed: ${name}`, () => assert.deepEqual(violations(history), []));
}
for (const [name, [history, said]] of Object.entries(bad)) {
  test(`refused: ${name}`, () => {
    const found = violations(history);
    assert.equal(found.length, 1);
    assert.match(String(found[0]), said);
  });
}
