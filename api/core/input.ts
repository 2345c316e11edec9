import * as z from "zod";

/** A TypeID of one kind, e.g. `resume_01h455vb4pex5vsknk084sn02q`. */
export function idInput(prefix: string) {
  return z.string().regex(new RegExp(`^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`), `an id that starts with ${prefix}_`);
}
