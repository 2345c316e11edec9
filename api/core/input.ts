import * as z from "zod";

/** Whether a JSON value is nested at most `levels` deep. Iterative: the value may be a hostile one. */
export function isShallow(value: unknown, levels: number): boolean {
  let layer: unknown[] = [value];
  for (let level = 0; layer.length > 0; level++) {
    if (level > levels) return false;
    layer = layer.flatMap((item) => (typeof item === "object" && item !== null ? Object.values(item) : []));
  }
  return true;
}

/** A TypeID of one kind, e.g. `resume_01h455vb4pex5vsknk084sn02q`. */
export function idInput(prefix: string) {
  return z.string().regex(new RegExp(`^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`), `an id that starts with ${prefix}_`);
}

/** A point in time: a Date, or its ISO text, as JSON carries it. */
export const timeInput = z
  .union([z.date(), z.iso.datetime({ offset: true })], "a time such as 2026-01-31T12:00:00Z")
  .pipe(z.coerce.date());

/** What people call something: trimmed, 1 to 100 characters, none of them a control character. */
export const nameInput = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u, "no control characters");
