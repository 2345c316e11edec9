import * as schema from "../schema/resumes.ts";
import { all, isolation, own } from "./suite/declare.ts";
import { emailOf, userOf } from "./suite/world.ts";

const person = (name: "ada" | "eve") => ({ userId: userOf(name), userEmail: emailOf(name) });
const document = { data: {}, publicData: {} };
const deletedAt = new Date(0);
const published = (row: { isPublic?: boolean | undefined; deletedAt?: Date | null | undefined }) =>
  row.isPublic === true && !row.deletedAt;

export const resumeIsolation = isolation([schema.resume, schema.resumeAccess], {
  owner: { user: "userId" },
  rows: [
    { ...document, ...person("ada"), id: "resume_ada", name: "a", slug: "ada-private" },
    { ...document, ...person("ada"), id: "resume_ada_public", name: "b", slug: "ada-public", isPublic: true },
    { ...document, ...person("ada"), id: "resume_ada_gone", name: "c", slug: "ada-gone", isPublic: true, deletedAt },
    { ...document, ...person("eve"), id: "resume_eve", name: "a", slug: "eve-private" },
    { ...document, ...person("eve"), id: "resume_eve_public", name: "b", slug: "eve-public", isPublic: true },
  ],
  reaches: {
    app_cached: published,
    app_direct: published,
    auth_resolver: all,
    authenticated: own("userId"),
    support: all,
    admin: all,
    service: all,
  },
});

const visit = { kind: "view", day: "2026-01-31", visitor: "hash" } as const;

export const resumeVisitIsolation = isolation([schema.resumeVisit, schema.resumeVisitAccess], {
  rows: [
    { ...visit, resumeId: "resume_ada_public" },
    { ...visit, resumeId: "resume_eve_public" },
  ],
  reaches: {
    service: all,
    authenticated: (row, { sub }) => sub !== undefined && row.resumeId === `resume_${sub.slice(5)}_public`,
  },
  goes: (row, { id }) => row.resumeId === `resume_${id.slice(5)}_public`,
});
