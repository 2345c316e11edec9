export { apiKeys } from "./api-keys/index.ts";
export { identity } from "./identity/index.ts";
export { organizations } from "./organizations/index.ts";
export { resumes } from "./resumes/index.ts";
