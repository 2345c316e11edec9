import { env as bindings } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { unique } from "../../test/actors.ts";
import { testRuntime } from "../../test/context.ts";
import { expectLoggedErrors } from "../../test/setup.ts";
import { EnvError, envSchema, getEnv } from "../env.ts";
import { renderLetter } from "./letter.tsx";
import { mailerOf, sendLater } from "./mailer.ts";
import { listOutbox } from "./outbox.ts";

const { env } = testRuntime();
const hostile = `<img src=x onerror="alert(1)">&'`;
const mail = { subject: "Hi", html: "<p>Hi</p>", text: "Hi" };

afterEach(() => vi.unstubAllGlobals());

describe("a letter", () => {
  const letter = {
    subject: hostile,
    paragraphs: [hostile, "Second"],
    action: { label: hostile, url: `https://example.com/?a=1&b="><script>` },
    code: "123456",
    note: hostile,
  };

  test("escapes every value in its HTML", () => {
    const { html } = renderLetter(letter);
    expect(html).toMatch(/^<!doctype html><html/);
    expect(html).not.toMatch(/<img|<script/);
    expect(html).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;");
    expect(html).toContain('href="https://example.com/?a=1&amp;b=&quot;&gt;&lt;script&gt;"');
    expect(html).toContain("123456");
  });

  test("says the same in its text", () => {
    const { text, subject } = renderLetter(letter);
    expect(subject).toBe(hostile);
    expect(text).toBe([hostile, "Second", "123456", `${hostile}:\n${letter.action.url}`, hostile].join("\n\n"));
    expect(renderLetter({ subject: "s", paragraphs: ["p"] }).text).toBe("p");
  });
});

describe("the outbox", () => {
  test("keeps what is sent without a key, newest first, by recipient", async () => {
    const to = `${unique()}@example.com`;
    await mailerOf(env).send({ ...mail, to, subject: "First" });
    await scheduler.wait(5);
    await mailerOf(env).send({ ...mail, to, subject: "Second" });
    await mailerOf(env).send({ ...mail, to: "else@example.com" });
    const kept = await listOutbox(env.FILES, to);
    expect(kept.map(({ subject }) => subject)).toEqual(["Second", "First"]);
    expect(kept[0]).toEqual({ ...mail, to, subject: "Second", sentAt: expect.stringMatching(/^\d{4}-.*Z$/) });
  });
});

describe("Resend", () => {
  const withKey = { ...env, RESEND_API_KEY: "re_key", MAIL_FROM: "Us <us@example.com>" };
  const answering = (answer: () => Response) => {
    const sent: Request[] = [];
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
      sent.push(new Request(url, init));
      return answer();
    });
    return sent;
  };

  test("gets the mail over its HTTP API", async () => {
    const sent = answering(() => Response.json({ id: "1" }));
    await mailerOf(withKey).send({ ...mail, to: "ada@example.com" });
    expect(sent).toHaveLength(1);
    expect(sent[0]?.url).toBe("https://api.resend.com/emails");
    expect(sent[0]?.headers.get("authorization")).toBe("Bearer re_key");
    expect(await sent[0]?.json()).toEqual({ ...mail, to: ["ada@example.com"], from: "Us <us@example.com>" });
  });

  test("refusing is thrown, without its message, which may quote the address", async () => {
    answering(() => Response.json({ name: "validation_error", message: "bad ada@example.com" }, { status: 422 }));
    const sending = mailerOf(withKey).send({ ...mail, to: "ada@example.com" });
    await expect(sending).rejects.toThrow(/^Resend answered 422 validation_error$/);
  });

  test("failing behind the response is logged and reaches nobody", async () => {
    answering(() => new Response("no", { status: 500 }));
    const logged = expectLoggedErrors();
    const waits: Promise<unknown>[] = [];
    const runtime = {
      env: withKey,
      requestId: "r1",
      waitUntil: (promise: Promise<unknown>) => void waits.push(promise),
    };
    sendLater(runtime, { ...mail, to: "ada@example.com" });
    await Promise.all(waits);
    expect(logged).toEqual([expect.stringContaining("Resend answered 500")]);
    expect(logged.join()).not.toContain("ada@example.com");
  });
});

test("staging and production do not start without a key", () => {
  for (const ENVIRONMENT of ["staging", "production"]) {
    expect(() => getEnv({ ...bindings, ENVIRONMENT })).toThrow(EnvError);
    expect(() => getEnv({ ...bindings, ENVIRONMENT })).toThrow(/RESEND_API_KEY: needed outside development/);
    expect(envSchema.safeParse({ ...bindings, ENVIRONMENT, RESEND_API_KEY: "re_key" }).success).toBe(true);
  }
});
