import { resume, sql } from "@repo/db";
import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { rls } from "./core/database/rls.ts";
import { toAppError } from "./core/errors/http.ts";
import { answerError } from "./core/http/request.ts";
import type { HonoEnv } from "./core/modules.ts";
import { signIn, unique } from "./test/actors.ts";
import { withContext } from "./test/context.ts";
import { get, origin, post, send } from "./test/http.ts";
import { expectLoggedErrors } from "./test/setup.ts";

const list = "/api/trpc/resumes.list?input=%7B%7D";

describe("limits", () => {
  test("a body over 1 MiB is refused", async () => {
    const answer = await post("/api/trpc/resumes.create", { name: "x".repeat(1024 * 1024) });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ error: { code: "PAYLOAD_TOO_LARGE" } });
  });

  test("a batch of more than 20 calls is refused", async () => {
    const paths = Array.from({ length: 21 }, () => "user.me").join(",");
    expect((await get(`/api/trpc/${paths}?batch=1&input=%7B%7D`)).status).toBe(400);
  });
});

describe("other origins", () => {
  const allowed = "http://localhost:5173";

  test("a listed frontend is let in with cookies and sees our headers", async () => {
    const preflight = await send(
      new Request(`${origin}${list}`, {
        method: "OPTIONS",
        headers: { origin: allowed, "access-control-request-method": "POST" },
      }),
    );
    expect(preflight.headers.get("access-control-allow-origin")).toBe(allowed);
    expect(preflight.headers.get("access-control-allow-credentials")).toBe("true");
    const answer = await get(list, {}, { origin: allowed });
    expect(answer.headers.get("access-control-expose-headers")).toContain("x-fresh-until");
  });

  test("any other is not, and may not write with the user's cookies", async () => {
    const ada = await signIn();
    const evil = { ...ada.headers, origin: "https://evil.example" };
    expect((await get(list, {}, evil)).headers.has("access-control-allow-origin")).toBe(false);
    const answer = await post("/api/trpc/resumes.create", { name: "x" }, evil);
    expect(answer.status).toBe(403);
    expect((await ada.api.resumes.list({})).items).toEqual([]);
  });
});

describe("errors", () => {
  test("a failing statement shows neither SQL nor parameters; the log keeps the cause without parameters", async () => {
    const logged = expectLoggedErrors();
    const ada = await signIn();
    const secret = `parameter-${unique()}`;
    const failing = new Hono<HonoEnv>().onError((error, c) => answerError(error, c));
    failing.get("/", async () => {
      await withContext(ada.headers, ({ dbDirect }) =>
        rls(dbDirect, { role: "authenticated", claims: { sub: ada.user.id } }, (tx) =>
          tx.select({ broken: sql`no_such_function(${secret})` }).from(resume),
        ),
      );
      return new Response();
    });
    const answer = await failing.request("/");
    const body = await answer.text();
    expect(answer.status).toBe(500);
    expect(body).toContain("Internal error");
    expect(body).not.toMatch(/select|no_such_function|resume/);
    expect(body).not.toContain(secret);
    expect(logged.join("\n")).toContain("no_such_function");
    expect(logged.join("\n")).not.toContain(secret);
  });

  test("every answer has a request id, and errors quote it", async () => {
    const answer = await get(list, {}, { "x-request-id": "abc-123" });
    expect(answer.headers.get("x-request-id")).toBe("abc-123");
    expect(await answer.json()).toMatchObject({
      error: { message: "Sign in first", data: { code: "UNAUTHENTICATED", requestId: "abc-123" } },
    });
  });

  test("bad input names its field, unknown procedures and routes are NOT_FOUND, broken JSON is BAD_REQUEST", async () => {
    const ada = await signIn();
    const bad = await post("/api/trpc/resumes.create", { name: "" }, ada.headers);
    expect(await bad.json()).toMatchObject({ error: { data: { code: "BAD_REQUEST", field: "name" } } });
    expect((await get("/api/trpc/no.such.procedure")).status).toBe(404);
    expect(await (await get("/nowhere")).json()).toMatchObject({ error: { code: "NOT_FOUND" } });
    const broken = await send(
      new Request(`${origin}/api/trpc/resumes.create`, {
        method: "POST",
        body: "{",
        headers: { ...ada.headers, "content-type": "application/json" },
      }),
    );
    expect(broken.status).toBe(400);
  });

  test("words of the client's are no sign of the database's health", async () => {
    const init = { method: "POST", body: "socket", headers: { "content-type": "application/json" } };
    expect((await send(new Request(`${origin}/api/trpc/resumes.trackView`, init))).status).toBe(400);
    expect(await (await get("/api/trpc/socket")).json()).toMatchObject({ error: { data: { code: "NOT_FOUND" } } });
    expect(toAppError(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })).code).toBe("UNAVAILABLE");
  });

  test("missing and wrong settings are named in the log, one by one, and not to the client", async () => {
    const logged = expectLoggedErrors();
    const answer = await get("/health", { AUTH_SECRET: "short", APP_URL: undefined, JOBS: undefined });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("AUTH_SECRET");
    expect(logged.join("\n")).toMatch(/AUTH_SECRET: at least 32 characters.*APP_URL.*JOBS: no queue binding/s);
  });
});

test("browsers are told to be strict", async () => {
  const { headers } = await get("/health");
  expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("strict-transport-security")).toBeTruthy();
  expect(headers.get("x-frame-options")).toBe("SAMEORIGIN");
});
