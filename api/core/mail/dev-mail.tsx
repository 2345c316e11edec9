import type { Hono } from "hono";
import type { HonoEnv } from "../modules.ts";
import { listOutbox, type SentMail } from "./outbox.ts";

const contentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'self'";

/** `/dev/mail` and `/dev/mail.json?to=`: what the local outbox holds, newest first. Mount it in builds with DEV_TOOLS only. */
export function mountDevMail(app: Hono<HonoEnv>): void {
  app.get("/dev/mail", async (c) => {
    const { env } = c.get("context");
    if (!isLocal(env.ENVIRONMENT)) return c.notFound();
    const mails = await listOutbox(env.FILES, c.req.query("to"));
    const page = await c.html(<Outbox mails={mails} />);
    page.headers.set("content-security-policy", contentSecurityPolicy);
    return page;
  });
  app.get("/dev/mail.json", async (c) => {
    const { env } = c.get("context");
    if (!isLocal(env.ENVIRONMENT)) return c.notFound();
    return c.json(await listOutbox(env.FILES, c.req.query("to")));
  });
}

function isLocal(environment: string): boolean {
  return environment === "development" || environment === "test";
}

function Outbox({ mails }: { mails: SentMail[] }) {
  return (
    <html lang="en">
      <head>
        <title>Outbox</title>
      </head>
      <body style="font-family: system-ui; max-width: 48rem; margin: 2rem auto">
        <h1>Outbox</h1>
        {mails.length === 0 ? <p>No e-mail has been sent yet.</p> : null}
        {mails.map((mail) => (
          <details>
            <summary>
              <b>{mail.subject}</b> to {mail.to} at {mail.sentAt}
            </summary>
            <iframe title={mail.subject} srcdoc={mail.html} sandbox="" style="width: 100%; height: 24rem" />
            <pre style="white-space: pre-wrap; overflow-wrap: anywhere">{withLinks(mail.text)}</pre>
          </details>
        ))}
      </body>
    </html>
  );
}

/** The text with its addresses to click on, which the sandboxed HTML beside it does not allow. */
function withLinks(text: string) {
  return text.split(/(https?:\S+)/).map((part, index) => (index % 2 ? <a href={part}>{part}</a> : part));
}
