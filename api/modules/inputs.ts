export * as apiKeys from "./api-keys/input.ts";
export * as user from "./identity/input.ts";
export * as organization from "./organizations/input.ts";
export * as resumes from "./resumes/input.ts";
