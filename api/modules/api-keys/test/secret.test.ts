import { apiKeyPrefixes } from "@repo/db";
import { expect, test } from "vitest";
import guide from "../../../../docs/api-keys.md?raw";
import { testRuntime } from "../../../test/context.ts";
import { get } from "../../../test/http.ts";
import { openWire } from "../../../test/wire.ts";
import { hashApiKey, isApiKey, makeApiKey, prefixIn, presentedKey } from "../key.ts";

/** What the guide tells scanners to look for. */
const published = new RegExp(guide.match(/```text\n(\S+)\n```/)?.[1] ?? "the guide shows no pattern");

test("a key has 43 random characters and 6 of checksum, and is like no other", () => {
  for (const prefix of apiKeyPrefixes) {
    const made = Array.from({ length: 500 }, () => makeApiKey(prefix));
    expect(new Set(made).size).toBe(500);
    for (const key of made) {
      expect(key).toMatch(published);
      expect(key).toHaveLength(prefix.length + 1 + 43 + 6);
      expect(isApiKey(key, prefix)).toBe(true);
    }
    expect(new Set(made.join("")).size).toBe(63);
  }
});

test("the published pattern finds it in a text, and nothing that only resembles it", () => {
  const key = makeApiKey("fl_live");
  expect(`token = "${key}";`.match(published)?.[0]).toBe(key);
  for (const other of [key.slice(0, -1), `${key}0`, key.replace("live", "prod"), `x${key}`])
    expect(published.test(other)).toBe(false);
});

test("any change of one character shows in the checksum", () => {
  const key = makeApiKey("fl_test");
  for (let place = 8; place < key.length; place++) {
    const other = key[place] === "a" ? "b" : "a";
    expect(isApiKey(key.slice(0, place) + other + key.slice(place + 1), "fl_test")).toBe(false);
  }
});

test("the checksum is CRC-32 of what stands before it, in base 62", () => {
  const body = `fl_test_${"0".repeat(43)}`;
  const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(body)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  let rest = (crc ^ 0xffffffff) >>> 0;
  let text = "";
  for (let place = 0; place < 6; place++) {
    text = digits.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  expect(isApiKey(body + text, "fl_test")).toBe(true);
});

test("production makes live keys, everything else test keys, and neither takes the other's", () => {
  expect(prefixIn({ ENVIRONMENT: "production" })).toBe("fl_live");
  expect(prefixIn({ ENVIRONMENT: "staging" })).toBe("fl_test");
  expect(prefixIn(testRuntime().env)).toBe("fl_test");
  expect(isApiKey(makeApiKey("fl_live"), "fl_test")).toBe(false);
});

test("it is read from the bearer token alone", () => {
  const key = makeApiKey("fl_test");
  expect(presentedKey(new Headers({ authorization: `Bearer ${key}` }))).toBe(key);
  expect(presentedKey(new Headers({ authorization: `bearer  ${key}` }))).toBe(key);
  expect(presentedKey(new Headers({ authorization: "Bearer fl_" }))).toBe("fl_");
  expect(presentedKey(new Headers({ authorization: "Bearer token" }))).toBeUndefined();
  expect(presentedKey(new Headers({ cookie: `fairlead.session_token=${key}` }))).toBeUndefined();
});

test("what is kept of it is its SHA-256", () => {
  expect(hashApiKey("fl_test_")).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(hashApiKey("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
});

const good = makeApiKey("fl_test");
test.each([
  ["no characters", "fl_test_"],
  ["a wrong checksum", `${good.slice(0, -1)}${good.endsWith("0") ? "1" : "0"}`],
  ["one character too few", good.slice(0, -1)],
  ["one character too many", `${good}0`],
  ["a sign that is none of its alphabet", good.replace(/.$/, "-")],
  ["the other environment's prefix", makeApiKey("fl_live")],
  ["a prefix of nobody's", good.replace("test", "root")],
  ["ten thousand characters", `fl_test_${"a".repeat(10_000)}`],
])("a key with %s is refused without a connection to the database", async (_, secret) => {
  const [cached, direct] = await Promise.all([openWire("cached"), openWire("direct")]);
  const overrides = { HYPERDRIVE_CACHED: cached.binding, HYPERDRIVE_DIRECT: direct.binding };
  const answer = await get("/api/trpc/user.me", overrides, { authorization: `Bearer ${secret}` });
  expect(answer.status).toBe(401);
  expect(await answer.text()).toContain("invalid_api_key");
  expect(await cached.look()).toMatchObject({ opened: 0, flights: [] });
  expect(await direct.look()).toMatchObject({ opened: 0, flights: [] });
});
