import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { get } from "../../../test/http.ts";
import { openWire } from "../../../test/wire.ts";
import { makeApiKey } from "../key.ts";
import { insider, keyOf } from "./keys.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      /** A rate limit of 5 in 10 s. Tests alone. */
      TIGHT_LIMIT: RateLimit;
    }
  }
}

const path = "/api/trpc/organization.get";
const times = (count: number) => Array.from({ length: count });

/** Waits, where needed, until all that follows falls into one period of the limiter. */
async function enterPeriod() {
  const left = 10_000 - (Date.now() % 10_000);
  if (left < 7000) await scheduler.wait(left);
}

const statusesOf = (answers: Response[]) => answers.map(({ status }) => status).sort();

/** Addresses in one network, and in others. */
const near = (last: number) => ({ "cf-connecting-ip": `192.0.2.${last}` });
const far = () => ({
  "cf-connecting-ip": `10.${times(3)
    .map(() => Math.floor(Math.random() * 250))
    .join(".")}`,
});

test("one key that calls too fast is refused before the database, wherever it calls from", async () => {
  const key = await keyOf(await insider());
  const wire = await openWire("direct");
  const overrides = { API_KEY_LIMIT: env.TIGHT_LIMIT, HYPERDRIVE_DIRECT: wire.binding };
  await enterPeriod();
  const answers = await Promise.all(times(8).map(() => get(path, overrides, { ...key.headers, ...far() })));
  expect(statusesOf(answers)).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
  const refused = answers.find(({ status }) => status === 429);
  expect(refused?.headers.get("retry-after")).toBe("10");
  expect(await refused?.text()).toContain("too_fast");
  expect((await wire.look()).opened).toBe(5);
  const other = await keyOf(await insider());
  expect((await get(path, overrides, { ...other.headers, ...far() })).status).toBe(200);
});

test("so are made-up keys from one network, each of them another", async () => {
  const wire = await openWire("direct");
  const overrides = { API_KEY_NETWORK_LIMIT: env.TIGHT_LIMIT, HYPERDRIVE_DIRECT: wire.binding };
  const guess = (headers: Record<string, string>) =>
    get(path, overrides, { authorization: `Bearer ${makeApiKey("fl_test")}`, ...headers });
  await enterPeriod();
  const answers = await Promise.all(times(8).map((_, place) => guess(near(place))));
  expect(statusesOf(answers)).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  expect((await wire.look()).opened).toBe(5);
  expect((await guess(far())).status).toBe(401);
});

test("when the limiter is away, calls go on: the database still counts them", async () => {
  const key = await keyOf(await insider());
  const away = { limit: () => Promise.reject(new Error("the limiter is away")) };
  const overrides = { API_KEY_LIMIT: away, API_KEY_NETWORK_LIMIT: away };
  expect((await get(path, overrides, key.headers)).status).toBe(200);
});
