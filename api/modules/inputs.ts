export * as resumes from "./resumes/input.ts";
export * as user from "./identity/input.ts";
