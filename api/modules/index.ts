export { identity } from "./identity/index.ts";
export { resumes } from "./resumes/index.ts";
