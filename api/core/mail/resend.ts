import type { Mail, Mailer } from "./mail.ts";

const endpoint = "https://api.resend.com/emails";
const timeoutMs = 10_000;

export interface ResendOptions {
  key: string;
  /** Sender, e.g. `Fairlead <no-reply@example.com>`. */
  from: string;
}

/** Delivers through Resend's HTTP API; its refusal is thrown with status and error name. */
export function resend({ key, from }: ResendOptions): Mailer {
  return {
    async send({ to, subject, html, text }: Mail) {
      const response = await fetch(endpoint, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ from, to: [to], subject, html, text }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (response.ok) return void (await response.body?.cancel());
      const { name } = await response.json<{ name?: string }>().catch(() => ({ name: undefined }));
      throw new Error(`Resend answered ${response.status} ${name ?? ""}`.trim());
    },
  };
}
