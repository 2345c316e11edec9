import type { Runtime } from "../context.ts";
import type { Env } from "../env.ts";
import { describeError, logLine } from "../log.ts";
import type { Mail, Mailer } from "./mail.ts";
import { outbox } from "./outbox.ts";
import { resend } from "./resend.ts";

/** Resend when its key is set, otherwise the local outbox that `/dev/mail` shows. */
export function mailerOf({ RESEND_API_KEY, MAIL_FROM, FILES }: Env): Mailer {
  if (RESEND_API_KEY) return resend({ key: RESEND_API_KEY, from: MAIL_FROM });
  if (DEV_TOOLS) return outbox(FILES);
  throw new Error("RESEND_API_KEY is missing: this build has no local outbox");
}

/** Sends after the response, so that neither its time nor a failure shows whether there is such a recipient. */
export function sendLater({ env, requestId, waitUntil }: Runtime, mail: Mail): void {
  const send = async () => mailerOf(env).send(mail);
  waitUntil(send().catch((error) => logLine("error", "mail failed", { requestId, error: describeError(error) })));
}
