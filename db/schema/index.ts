export * from "./api-keys.ts";
export * from "./idempotency.ts";
export * from "./identity.ts";
export * from "./organizations.ts";
export * from "./resumes.ts";
export * from "./roles.ts";
