import type { Seed } from "./seed.ts";

/** Every domain's demo data, one line each; those that others refer to come first. */
export const seeds: Seed[] = [
  (await import("./identity.ts")).seedIdentity,
  (await import("./organizations.ts")).seedOrganizations,
  (await import("./resumes.ts")).seedResumes,
];
