import type { Mail, Mailer } from "./mail.ts";

/** An e-mail as the outbox keeps it. */
export interface SentMail extends Mail {
  /** ISO 8601, UTC. */
  sentAt: string;
}

const prefix = "dev/outbox/";
const lastInstant = 9_999_999_999_999;
const shown = 50;

/** Keeps e-mails in the bucket instead of sending them, where every isolate finds them. */
export function outbox(bucket: R2Bucket): Mailer {
  return {
    async send(mail) {
      const now = Date.now();
      const sent: SentMail = { ...mail, sentAt: new Date(now).toISOString() };
      // R2 lists by name: counting down puts the newest first.
      const key = `${prefix}${lastInstant - now}-${crypto.randomUUID()}`;
      await bucket.put(key, JSON.stringify(sent), { customMetadata: { to: mail.to } });
    },
  };
}

/** The newest 50 kept e-mails, newest first; of one recipient when `to` is given. */
export async function listOutbox(bucket: R2Bucket, to?: string): Promise<SentMail[]> {
  const { objects } = await bucket.list({ prefix, include: ["customMetadata"] });
  const wanted = objects.filter(({ customMetadata }) => to === undefined || customMetadata?.to === to).slice(0, shown);
  const mails = await Promise.all(wanted.map(async ({ key }) => (await bucket.get(key))?.json<SentMail>()));
  return mails.filter((mail) => mail !== undefined);
}
