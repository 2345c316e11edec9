import { type ResumeData, resumeData, type resumeHideable, type SQL, sql } from "@repo/db";
import type { z } from "zod";

type Hideable = (typeof resumeHideable)[number];

const hiddenPaths: Record<Hideable, string[]> = {
  email: ["{basics,email}"],
  phone: ["{basics,phone}"],
  address: ["{basics,location,address}", "{basics,location,postalCode}"],
};

/**
 * SQL of what the world may read of a résumé: the fields of the JSON Resume format and no others, without those that
 * `hidden` (an array of text) names, and without `meta`, which speaks of the document and not of the person.
 */
export function publicDataOf(data: ResumeData, hidden: SQL): SQL<ResumeData> {
  const { meta: _meta, ...known } = onlyKnown(resumeData, data) as ResumeData;
  const paths = Object.entries(hiddenPaths).flatMap(([field, places]) => places.map((path) => ({ field, path })));
  return paths.reduce<SQL<ResumeData>>(
    (document, { field, path }) =>
      sql`${document} #- case when ${field} = any(${hidden}) then ${path} else '{}' end::text[]`,
    sql<ResumeData>`${JSON.stringify(known)}::jsonb`,
  );
}

/** A deep copy with only the properties that `schema` names. */
function onlyKnown(schema: z.ZodType, value: unknown): unknown {
  const bare = unwrap(schema);
  if (Array.isArray(value))
    return "element" in bare ? value.map((item) => onlyKnown(bare.element as z.ZodType, item)) : [];
  if (typeof value !== "object" || value === null) return value;
  const shape = "shape" in bare ? (bare.shape as Record<string, z.ZodType>) : {};
  return Object.fromEntries(
    Object.entries(shape).flatMap(([key, entry]) =>
      Object.hasOwn(value, key) ? [[key, onlyKnown(entry, Reflect.get(value, key))]] : [],
    ),
  );
}

/** The schema inside `optional` and `nullable`. */
function unwrap(schema: z.ZodType): z.ZodType {
  return "innerType" in schema.def ? unwrap(schema.def.innerType as z.ZodType) : schema;
}
