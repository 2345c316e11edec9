import * as schema from "./schema/index.ts";

export {
  and,
  asc,
  count,
  desc,
  eq,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  lte,
  ne,
  not,
  or,
  type SQL,
  sql,
} from "drizzle-orm";
export * from "./schema/index.ts";

/** Type of the whole schema, as Drizzle's clients take it. */
export type DatabaseSchema = typeof schema;
export { schema };
