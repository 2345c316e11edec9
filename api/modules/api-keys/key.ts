import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ApiKeyPrefix } from "@repo/db";
import type { Env } from "../../core/env.ts";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const randomLength = 43;
const checksumLength = 6;
const form = /^(fl_live|fl_test)_[0-9A-Za-z]{49}$/;

/** Keys of one environment are refused by the others. */
export function prefixIn({ ENVIRONMENT }: Pick<Env, "ENVIRONMENT">): ApiKeyPrefix {
  return ENVIRONMENT === "production" ? "fl_live" : "fl_test";
}

/** A new secret: 43 random characters (256 bits) and the checksum of all that stands before it. */
export function makeApiKey(prefix: ApiKeyPrefix): string {
  const body = `${prefix}_${randomText()}`;
  return body + checksum(body);
}

/** Whether it could be one of our keys, as far as that shows without the database. */
export function isApiKey(text: string, prefix: ApiKeyPrefix): boolean {
  if (!form.test(text) || !text.startsWith(`${prefix}_`)) return false;
  const body = text.slice(0, -checksumLength);
  return text === body + checksum(body);
}

/** What is kept of a key. It has 256 random bits, so a fast hash without a salt is enough. */
export function hashApiKey(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** What the request presents as an API key, well-formed or not; undefined where it presents something else. */
export function presentedKey(headers: Headers): string | undefined {
  return headers.get("authorization")?.match(/^Bearer\s+(fl_\S*)$/i)?.[1];
}

function randomText(): string {
  let text = "";
  while (text.length < randomLength) {
    for (const byte of randomBytes(64)) {
      // 248 is four times 62: above it some characters would be likelier than others.
      if (byte < 248 && text.length < randomLength) text += alphabet.charAt(byte % 62);
    }
  }
  return text;
}

function checksum(body: string): string {
  let rest = crc32(body);
  let text = "";
  for (let place = 0; place < checksumLength; place++) {
    text = alphabet.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
