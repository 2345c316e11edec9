// The first ten minutes of a frontend: sign up, confirm, write, publish, read, edit, read again.
//   bun dev                            in one terminal
//   bun examples/first-call.ts [url]   in another; url defaults to http://127.0.0.1:8787
import { strict as assert } from "node:assert";
import sample from "@jsonresume/schema/sample.resume.json" with { type: "json" };
import { createClient, inputs } from "@repo/api/client";

const url = process.argv[2] ?? "http://127.0.0.1:8787";
const email = `first-${Date.now()}@example.com`;
const password = "correct horse battery";

async function post(path: string, body: unknown): Promise<Response> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: url },
    body: JSON.stringify(body),
  });
  assert(response.ok, `${path} answered ${response.status}: ${await response.clone().text()}`);
  return response;
}

/** The six digits of the newest letter to us; letters leave a moment after the answer. */
async function codeFromOutbox(): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const letters = (await (await fetch(`${url}/dev/mail.json?to=${email}`)).json()) as { text: string }[];
    const code = letters.map((letter) => letter.text.match(/\b\d{6}\b/)?.[0]).find(Boolean);
    if (code) return code;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no code for ${email} in ${url}/dev/mail`);
}

await post("/api/auth/sign-up/email", { name: "First Caller", email, password });
console.log(`signed up as ${email}`);

await post("/api/auth/email-otp/send-verification-otp", { email, type: "email-verification" });
await post("/api/auth/email-otp/verify-email", { email, otp: await codeFromOutbox() });
const signedIn = await post("/api/auth/sign-in/email", { email, password });
const token = signedIn.headers.get("set-auth-token");
console.log("confirmed the address by the code from the outbox, and signed in");

const client = createClient({ url, headers: { authorization: `Bearer ${token}` } });
const me = await client.user.me.query();
assert.equal(me.email, email);

const data = inputs.resumes.createInput.shape.data.parse(sample);
const { id, slug } = await client.resumes.create.mutate({ name: "My first résumé", slug: `first-${Date.now()}`, data });
await client.resumes.publish.mutate({ id });
console.log(`published the JSON Resume sample as ${slug}`);

const visitor = createClient({ url });
const seen = await visitor.resumes.bySlug.query({ slug });
assert.equal(seen.data.basics?.name, sample.basics.name);
assert.equal(seen.data.basics?.email, undefined, "the e-mail address is hidden unless its owner shows it");
console.log(`a visitor reads it through the cached door: ${seen.data.basics?.name}, ${seen.data.basics?.label}`);

const edited = { ...data, basics: { ...data.basics, label: "Founder" } };
await client.resumes.update.mutate({ id, version: 1, data: edited });
const own = await client.resumes.bySlug.query({ slug });
assert.equal(own.data.basics?.label, "Founder", "whoever just wrote reads fresh");
console.log(`its owner edits it and reads the edit at once: ${own.data.basics?.label}`);
console.log("all good");
