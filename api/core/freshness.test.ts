import { describe, expect, test } from "vitest";
import { createClient } from "../client.ts";
import { type Actor, signIn, unique } from "../test/actors.ts";
import { testRuntime } from "../test/context.ts";
import { clientFor, get, origin, post, send } from "../test/http.ts";
import { openWire } from "../test/wire.ts";
import { freshToken } from "./freshness.ts";

const { env } = testRuntime();

async function publish(actor: Actor) {
  const { id } = await actor.api.resumes.create({ name: `Fresh ${unique()}` });
  return actor.api.resumes.publish({ id });
}

/** By which door a visitor's read with these headers goes. */
async function doorOf(headers: Record<string, string>): Promise<"cached" | "direct"> {
  const [cached, direct] = await Promise.all([openWire("cached"), openWire("direct")]);
  const path = `/api/trpc/resumes.bySlug?input=${encodeURIComponent('{"slug":"any-slug"}')}`;
  await get(path, { HYPERDRIVE_CACHED: cached.binding, HYPERDRIVE_DIRECT: direct.binding }, headers);
  const opened = [(await cached.look()).opened, (await direct.look()).opened];
  expect(opened[0] === 1 || opened[1] === 1).toBe(true);
  expect((opened[0] ?? 0) + (opened[1] ?? 0)).toBe(1);
  return opened[0] === 1 ? "cached" : "direct";
}

describe("whoever wrote reads past the cache", () => {
  test("a write answers with header and cookie; either one opens the direct door", async () => {
    const ada = await signIn();
    const { client, seen } = clientFor(ada.headers);
    const before = Date.now();
    await client.resumes.create.mutate({ name: `Fresh ${unique()}` });
    const header = seen[0]?.headers.get("x-fresh-until") ?? "";
    const [until, signature] = header.split(".");
    expect(Number(until)).toBeGreaterThanOrEqual(before + 75_000);
    expect(signature).toMatch(/^[\w-]{43}$/);
    expect(seen[0]?.headers.get("set-cookie")).toBe(
      `fresh_until=${header}; Path=/; Max-Age=75; HttpOnly; SameSite=Lax`,
    );
    expect(await doorOf({ "x-fresh-until": header })).toBe("direct");
    expect(await doorOf({ cookie: `other=1; fresh_until=${header}` })).toBe("direct");
    expect(await doorOf({})).toBe("cached");
  });

  test("a write that failed is followed by fresh reads too; a read is not", async () => {
    const ada = await signIn();
    const { client, seen } = clientFor(ada.headers);
    const { slug } = await publish(ada);
    await client.resumes.create.mutate({ name: "taken slug", slug }).catch(() => {});
    await client.resumes.list.query({});
    expect(seen.map((answer) => answer.headers.has("x-fresh-until"))).toEqual([true, false]);
  });

  test("forged, altered and expired tokens are ignored", async () => {
    const soon = Date.now() + 60_000;
    const good = await freshToken(env.AUTH_SECRET, soon);
    expect(await doorOf({ "x-fresh-until": good })).toBe("direct");
    const forged = [
      await freshToken("another secret of at least 32 characters", soon),
      good.replace(String(soon), String(soon + 1)),
      good.slice(0, -1),
      `${soon}.`,
      `${soon}`,
      "",
      await freshToken(env.AUTH_SECRET, Date.now() - 1),
    ];
    for (const token of forged) expect(await doorOf({ "x-fresh-until": token }), token).toBe("cached");
  });
});

describe("createClient", () => {
  test("carries the token by itself, until it expires", async () => {
    const ada = await signIn();
    const sent: (string | null)[] = [];
    const client = createClient({
      url: origin,
      headers: ada.headers,
      fetch: (input, init) => {
        const request = new Request(input, init);
        sent.push(request.headers.get("x-fresh-until"));
        return send(request, sent.length === 1 ? { FRESH_SECONDS: "1" } : {});
      },
    });
    await client.resumes.create.mutate({ name: `Carry ${unique()}` });
    await client.resumes.list.query({});
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await client.resumes.list.query({});
    expect(sent).toEqual([null, expect.stringMatching(/^\d{13}\./), null]);
  });

  test("asks for a token when a mutation's answer is lost", async () => {
    const ada = await signIn();
    const paths: string[] = [];
    let lose = true;
    const client = createClient({
      url: origin,
      headers: ada.headers,
      async fetch(input, init) {
        const request = new Request(input, init);
        const fresh = request.headers.has("x-fresh-until");
        paths.push(`${new URL(request.url).pathname}${fresh ? " fresh" : ""}`);
        const answer = await send(request);
        if (!lose) return answer;
        lose = false;
        throw new TypeError("network connection lost");
      },
    });
    await expect(client.resumes.create.mutate({ name: `Lost ${unique()}` })).rejects.toThrow("network connection lost");
    expect((await client.resumes.list.query({})).items).toHaveLength(1);
    await client.resumes.list.query({});
    expect(paths).toEqual([
      "/api/trpc/resumes.create",
      "/api/fresh",
      "/api/trpc/resumes.list fresh",
      "/api/trpc/resumes.list fresh",
    ]);
  });

  test("asks for a token when the network answers in the worker's place", async () => {
    const ada = await signIn();
    const paths: string[] = [];
    const client = createClient({
      url: origin,
      headers: ada.headers,
      async fetch(input, init) {
        const request = new Request(input, init);
        paths.push(new URL(request.url).pathname);
        const answer = await send(request);
        return paths.length === 1 ? new Response("bad gateway", { status: 502 }) : answer;
      },
    });
    await expect(client.resumes.create.mutate({ name: `Lost ${unique()}` })).rejects.toThrow();
    expect((await client.resumes.list.query({})).items).toHaveLength(1);
    expect(paths).toEqual(["/api/trpc/resumes.create", "/api/fresh", "/api/trpc/resumes.list"]);
  });

  test("a visitor gets no token for the asking", async () => {
    const answer = await post("/api/fresh", {});
    expect(answer.status).toBe(401);
    expect(answer.headers.has("x-fresh-until")).toBe(false);
  });
});

test.each([
  ["trpc-accept", "application/jsonl"],
  ["accept", "application/json, application/jsonl"],
])("a batch of mutations that %s asks to be streamed is refused: its headers leave first", async (name, type) => {
  const ada = await signIn();
  const answer = await post("/api/trpc/resumes.create?batch=1", { 0: { name: "x" } }, { ...ada.headers, [name]: type });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain("httpBatchLink");
  expect((await ada.api.resumes.list({})).items).toEqual([]);
});
