import { env as bindings } from "cloudflare:workers";
import { eq, identity, type User, user } from "@repo/db";
import { createAuthClient } from "better-auth/client";
import { anonymousClient, emailOTPClient, twoFactorClient } from "better-auth/client/plugins";
import { app } from "../../../app.ts";
import { listOutbox } from "../../../core/mail/outbox.ts";
import { makeUser, unique } from "../../../test/actors.ts";
import { testRuntime } from "../../../test/context.ts";
import { withOwner } from "../../../test/owner.ts";
import { hashPassword } from "../auth/password.ts";

const { APP_URL: baseURL, FILES } = testRuntime().env;

/** One request through the whole worker; resolves when what it left in the background is done. */
export async function request(path: string, init: RequestInit = {}, overrides?: object): Promise<Response> {
  const waits: Promise<unknown>[] = [];
  const context = {
    waitUntil: (promise: Promise<unknown>) => void waits.push(promise),
    passThroughOnException() {},
    props: {},
  };
  // Of the execution context, the worker uses waitUntil alone.
  const response = await app.fetch(
    new Request(new URL(path, baseURL), init),
    // The same object in every request, as in an isolate: what is built once per isolate is built once here.
    overrides ? { ...bindings, ...overrides } : bindings,
    context as unknown as ExecutionContext,
  );
  await Promise.all(waits);
  return response;
}

/** A browser with better-auth's own client, unchanged: it keeps cookies and has an IP address of its own. */
export function browser(ip = randomIp(), overrides?: object) {
  const jar = new Map<string, string>();
  const seen: Response[] = [];
  const cookie = () => [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  async function customFetchImpl(url: string | URL | Request, init?: RequestInit) {
    const headers = new Headers(init?.headers);
    headers.set("origin", baseURL);
    headers.set("cf-connecting-ip", ip);
    if (jar.size) headers.set("cookie", cookie());
    const response = await request(String(url), { ...init, headers, redirect: "manual" }, overrides);
    for (const line of response.headers.getSetCookie()) keep(jar, line);
    seen.push(response);
    return response;
  }
  const plugins = [emailOTPClient(), anonymousClient(), twoFactorClient()];
  const auth = createAuthClient({ baseURL, plugins, fetchOptions: { customFetchImpl } });
  /** Any endpoint of better-auth's, as JSON. */
  async function ask<T = unknown>(path: string, body?: unknown): Promise<{ status: number; data: T }> {
    const headers = { "content-type": "application/json" };
    const init = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
    const response = await customFetchImpl(new URL(`/api/auth${path}`, baseURL), init);
    return {
      status: response.status,
      data: (await response
        .clone()
        .json()
        .catch(() => null)) as T,
    };
  }
  return { auth, jar, cookie, ip, ask, send: customFetchImpl, last: () => seen.at(-1) };
}

function keep(jar: Map<string, string>, line: string): void {
  const [pair = ""] = line.split(";");
  const [, name = "", value = ""] = pair.match(/^([^=]+)=(.*)$/) ?? [];
  if (/max-age=0/i.test(line)) jar.delete(name);
  else jar.set(name, value);
}

export function randomIp(): string {
  const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint8Array(3));
  return `10.${a}.${b}.${c}`;
}

export function randomEmail(): string {
  return `person-${unique()}@example.com`;
}

/** Subjects of the mails to the address, newest first. */
export async function subjectsTo(email: string): Promise<string[]> {
  return (await listOutbox(FILES, email)).map(({ subject }) => subject);
}

/** The link or the code in the newest mail to the address. */
export async function proofFor(email: string): Promise<string> {
  const [mail] = await listOutbox(FILES, email);
  return mail?.text.match(/https?:\S+|\b\d{6}\b/)?.[0] ?? "";
}

export const password = "correct horse battery";

/** A browser and somebody with a password and a confirmed address. */
export async function registered() {
  const { id, email } = await makeUser();
  const values = { userId: id, providerId: "credential", accountId: id, password: await hashPassword(password) };
  await withOwner((db) => db.insert(identity).values(values));
  return { ...browser(), id, email };
}

/** Whether the API takes the headers for a signed-in user's. */
export async function isSignedIn(headers: Record<string, string>): Promise<boolean> {
  const { status } = await request("/api/trpc/user.me", { headers });
  return status === 200;
}

/** The row of the user with this address. */
export function userOf(email: string): Promise<User | undefined> {
  return withOwner(async (db) => (await db.select().from(user).where(eq(user.email, email)))[0]);
}
