const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";

/**
 * An address proposed from a name: "Über mich, 2026" → "uber-mich-2026". Always 3 to 80 characters of [a-z0-9-]; made of
 * `fallback` where the name holds none.
 */
export function slugOf(name: string, fallback: string): string {
  const words = name
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 70)
    .replace(/-+$/, "");
  return words.length >= 3 ? words : withSuffix(words || fallback);
}

/** The same address with six random characters behind it, for when it is taken. */
export function withSuffix(slug: string): string {
  const random = crypto.getRandomValues(new Uint8Array(6));
  return `${slug.slice(0, 73)}-${[...random].map((byte) => alphabet[byte % alphabet.length]).join("")}`;
}
