import { expect, test } from "vitest";
import { signIn, unique } from "../test/actors.ts";
import { clientFor, get } from "../test/http.ts";
import { openWire } from "../test/wire.ts";

async function wired() {
  const [cached, direct] = await Promise.all([openWire("cached"), openWire("direct")]);
  return { cached, direct, overrides: { HYPERDRIVE_CACHED: cached.binding, HYPERDRIVE_DIRECT: direct.binding } };
}

/** Flights of statements: without the startup, the password and the goodbye. */
const statements = (flights: string[]) => flights.filter((letters) => /[QP]/.test(letters));

test("a request that needs no database opens no connection", async () => {
  const { cached, direct, overrides } = await wired();
  expect((await get("/health", overrides)).status).toBe(200);
  expect((await get("/no/such/route", overrides)).status).toBe(404);
  expect((await get("/api/trpc/user.me", overrides)).status).toBe(401);
  expect(await cached.look()).toMatchObject({ opened: 0 });
  expect(await direct.look()).toMatchObject({ opened: 0 });
});

test("a public read: one connection, one flight, gone with the request", async () => {
  const { cached, direct, overrides } = await wired();
  const answer = await get(`/api/trpc/resumes.bySlug?input=${encodeURIComponent('{"slug":"none-such"}')}`, overrides);
  expect(answer.status).toBe(404);
  const seen = await cached.look();
  expect(seen).toMatchObject({ opened: 1, open: 0 });
  expect(statements(seen.flights)).toEqual(["PBDES"]);
  expect(await direct.look()).toMatchObject({ opened: 0 });
});

test("an RLS read: the caller, then prelude and statement in one flight; its COMMIT behind", async () => {
  const { cached, direct, overrides } = await wired();
  const ada = await signIn();
  const { client } = clientFor(ada.headers, overrides);
  await client.resumes.list.query({});
  const seen = await direct.look();
  expect(seen).toMatchObject({ opened: 1, open: 0 });
  expect(statements(seen.flights)).toEqual(["PBDES", "QPBDES", expect.stringMatching(/^QX?$/)]);
  expect(await cached.look()).toMatchObject({ opened: 0 });
});

test("a write: the caller, the statements with their prelude, the audit row with COMMIT", async () => {
  const { direct, overrides } = await wired();
  const ada = await signIn();
  const { client } = clientFor(ada.headers, overrides);
  const { id } = await client.resumes.create.mutate({ name: `Wire ${unique()}` });
  await direct.look();
  await client.resumes.update.mutate({ id, version: 1, data: {} });
  const seen = await direct.look();
  expect(seen).toMatchObject({ opened: 1, open: 0 });
  expect(statements(seen.flights)).toEqual(["PBDES", "QPBDESPBDES", "PBDESQ"]);
});

test("a batch shares the request's connections", async () => {
  const { cached, direct, overrides } = await wired();
  const ada = await signIn();
  const { client } = clientFor(ada.headers, overrides);
  await Promise.all([
    client.resumes.list.query({}),
    client.user.me.query(),
    client.resumes.list.query({ deleted: true }),
  ]);
  expect(await direct.look()).toMatchObject({ opened: 1, open: 0 });
  expect(await cached.look()).toMatchObject({ opened: 0 });
});

test("without pipelining every statement waits for the one before, and all works the same", async () => {
  const { direct, overrides } = await wired();
  const ada = await signIn();
  const { client } = clientFor(ada.headers, { ...overrides, DB_PIPELINE: "off" });
  const { id } = await client.resumes.create.mutate({ name: `Unpiped ${unique()}` });
  await direct.look();
  await client.resumes.update.mutate({ id, version: 1, data: {} });
  expect(statements((await direct.look()).flights)).toEqual(["PBDES", "Q", "PBDES", "PBDES", "PBDES", "Q"]);
  expect(await client.resumes.list.query({})).toMatchObject({ items: [{ id }] });
});

test("Server-Timing tells the trips of each leg", async () => {
  const ada = await signIn();
  const { client, seen } = clientFor(ada.headers);
  await client.resumes.list.query({});
  expect(seen[0]?.headers.get("server-timing")).toMatch(
    /^auth;dur=[\d.]+;desc="1 trips", db-cached;dur=0\.0;desc="0 trips", db-direct;dur=[\d.]+;desc="1 trips", handler;dur=[\d.]+$/,
  );
});
