export * from "./zod/api-keys.ts";
/**
 * Zod schemas of every table's rows, made by drizzle-zod: `insertUserSchema`, `selectUserSchema`, `updateUserSchema` …
 * They know the columns, not the rules: a procedure's input is a schema of its own.
 */
export * from "./zod/idempotency.ts";
export * from "./zod/identity.ts";
export * from "./zod/organizations.ts";
export * from "./zod/resumes.ts";
