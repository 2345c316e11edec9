import { sign, verify } from "./signature.ts";

export { freshHeader } from "./freshness-header.ts";
export const freshCookie = "fresh_until";

const purpose = "fresh-until";

/** `<unix ms>.<hmac>`: whoever carries it reads past the cache until then. */
export async function freshToken(secret: string, until: number): Promise<string> {
  return `${until}.${await sign(secret, purpose, String(until))}`;
}

/** Whether one of the tokens is ours and not yet past. Forged or expired ones are ignored. */
export async function isFresh(secret: string, tokens: (string | undefined)[]): Promise<boolean> {
  for (const token of tokens) {
    const [until = "", signature = ""] = token?.split(".") ?? [];
    if (!/^\d{13}$/.test(until) || Number(until) <= Date.now()) continue;
    if (await verify(secret, purpose, [until, signature])) return true;
  }
  return false;
}
