const encoder = new TextEncoder();

/** Keyed hash (HMAC-SHA-256, base64url) of `message`; `purpose` keeps one secret's uses apart. */
export async function sign(secret: string, purpose: string, message: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const bytes = await crypto.subtle.sign("HMAC", key, encoder.encode(`${purpose}\n${message}`));
  return Buffer.from(bytes).toString("base64url");
}

/** Whether `signature` is `message`'s, compared in constant time. */
export async function verify(
  secret: string,
  purpose: string,
  [message, signature]: [string, string],
): Promise<boolean> {
  const expected = encoder.encode(await sign(secret, purpose, message));
  const actual = encoder.encode(signature);
  return actual.byteLength === expected.byteLength && crypto.subtle.timingSafeEqual(actual, expected);
}
