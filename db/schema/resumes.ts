import { and, eq, relations, sql } from "drizzle-orm";
import {
  boolean,
  check,
  date,
  foreignKey,
  index,
  integer,
  jsonb,
  pgPolicy,
  pgTable,
  text,
  unique,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import * as z from "zod";
import { access } from "./access.ts";
import { idColumn, idText, oneOf, softDelete, timestamps } from "./columns.ts";
import { user } from "./identity.ts";
import { admin, appCached, appDirect, authenticated, authResolver, authUid, service, support } from "./roles.ts";

const line = z.string().max(1_000);
const prose = z.string().max(20_000);
const list = z.array(line).max(200);
const day = z
  .string()
  .regex(/^[12]\d{3}(-[01]\d(-[0-3]\d)?)?$/, "a date as 2014, 2014-06 or 2014-06-29")
  .or(z.literal(""));
const link = z.url({ protocol: /^https?$/, error: "an http(s) address" }).or(z.literal(""));
const closed = <Shape extends z.ZodRawShape>(shape: Shape) => z.object(shape).partial();
// Keeps unknown fields. Its type leaves them out: an index signature would swallow the known ones in tRPC's outputs.
const open = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.looseObject(shape).partial() as unknown as ReturnType<typeof closed<Shape>>;
const section = <Shape extends z.ZodRawShape>(shape: Shape) => z.array(open(shape)).max(200);

/** A résumé in the JSON Resume format (https://jsonresume.org/schema); fields beyond it are kept, never published. */
export const resumeData = open({
  $schema: line,
  basics: open({
    name: line,
    label: line,
    image: link,
    email: z.email().or(z.literal("")),
    phone: line,
    url: link,
    summary: prose,
    location: open({ address: line, postalCode: line, city: line, countryCode: line, region: line }),
    profiles: section({ network: line, username: line, url: link }),
  }),
  work: section({
    name: line,
    location: line,
    description: line,
    position: line,
    url: link,
    startDate: day,
    endDate: day,
    summary: prose,
    highlights: list,
  }),
  volunteer: section({
    organization: line,
    position: line,
    url: link,
    startDate: day,
    endDate: day,
    summary: prose,
    highlights: list,
  }),
  education: section({
    institution: line,
    url: link,
    area: line,
    studyType: line,
    startDate: day,
    endDate: day,
    score: line,
    courses: list,
  }),
  awards: section({ title: line, date: day, awarder: line, summary: prose }),
  certificates: section({ name: line, date: day, url: link, issuer: line }),
  publications: section({ name: line, publisher: line, releaseDate: day, url: link, summary: prose }),
  skills: section({ name: line, level: line, keywords: list }),
  languages: section({ language: line, fluency: line }),
  interests: section({ name: line, keywords: list }),
  references: section({ name: line, reference: prose }),
  projects: section({
    name: line,
    description: prose,
    highlights: list,
    keywords: list,
    startDate: day,
    endDate: day,
    url: link,
    roles: list,
    entity: line,
    type: line,
  }),
  meta: open({ canonical: link, version: line, lastModified: line }),
});
export type ResumeData = z.infer<typeof resumeData>;

export const resumeTemplates = ["classic", "compact"] as const;
export const resumeHideable = ["email", "phone", "address"] as const;
export const resumeVisitKinds = ["view", "download"] as const;

/** TypeID prefixes of this domain's tables. */
export const resumePrefixes = { resume: "resume" } as const;

export const resume = pgTable(
  "resume",
  {
    id: idColumn(resumePrefixes.resume),
    userId: idText().notNull(),
    userEmail: text().notNull(),
    name: text().notNull(),
    slug: text().notNull(),
    data: jsonb().$type<ResumeData>().notNull(),
    /** What the world may read of `data` once the résumé is public; the module writes both together. */
    publicData: jsonb().$type<ResumeData>().notNull(),
    hidden: text({ enum: resumeHideable }).array().notNull().default(["email", "phone", "address"]),
    template: text({ enum: resumeTemplates }).notNull().default("classic"),
    isPublic: boolean().notNull().default(false),
    views: integer().notNull().default(0),
    downloads: integer().notNull().default(0),
    thumbnailUrl: text(),
    version: integer().notNull().default(1),
    ...softDelete(),
    ...timestamps(),
  },
  (table) => [
    // The address follows the user's by itself.
    foreignKey({
      name: "resume_user_fk",
      columns: [table.userId, table.userEmail],
      foreignColumns: [user.id, user.email],
    })
      .onDelete("cascade")
      .onUpdate("cascade"),
    index("resume_user_idx").on(table.userId, table.id),
    index("resume_user_email_idx").on(table.userEmail),
    unique("resume_slug_unique").on(table.slug),
    uniqueIndex("resume_user_name_unique").on(table.userId, table.name).where(sql`${table.deletedAt} is null`),
    index("resume_deleted_at_idx").on(table.deletedAt).where(sql`${table.deletedAt} is not null`),
    check("resume_slug_check", sql`${table.slug} ~ '^[a-z0-9-]{3,80}$'`),
    check("resume_name_check", sql`char_length(${table.name}) between 1 and 100`),
    check("resume_template_check", oneOf(table.template, resumeTemplates)),
    pgPolicy("resume_public_policy", {
      for: "select",
      to: [appCached, appDirect],
      using: sql`${table.isPublic} and ${table.deletedAt} is null`,
    }),
    pgPolicy("resume_own_policy", {
      to: authenticated,
      using: eq(table.userId, authUid),
      withCheck: eq(table.userId, authUid),
    }),
    pgPolicy("resume_adopt_policy", { to: authResolver, using: sql`true`, withCheck: sql`true` }),
    pgPolicy("resume_view_staff_policy", { for: "select", to: [support, admin], using: sql`true` }),
    pgPolicy("resume_service_policy", { to: service, using: sql`true`, withCheck: sql`true` }),
  ],
);

const publicColumns = [
  "id",
  "slug",
  "name",
  "publicData",
  "template",
  "isPublic",
  "views",
  "downloads",
  "thumbnailUrl",
  "deletedAt",
  "createdAt",
  "updatedAt",
] as const;

export const resumeAccess = access(resume, {
  app_cached: { select: publicColumns },
  app_direct: { select: publicColumns },
  auth_resolver: {
    select: ["id", "userId", "name", "deletedAt"],
    update: ["userId", "userEmail", "name", "updatedAt"],
  },
  authenticated: {
    select: "all",
    insert: "all",
    update: [
      "name",
      "slug",
      "data",
      "publicData",
      "hidden",
      "template",
      "isPublic",
      "thumbnailUrl",
      "version",
      "deletedAt",
      "updatedAt",
    ],
  },
  support: { select: "all" },
  admin: { select: "all" },
  service: { select: "all", update: ["views", "downloads", "updatedAt"], delete: true },
});

/** Who saw or downloaded a résumé on a day, as a keyed hash: counts each visitor once. */
export const resumeVisit = pgTable(
  "resume_visit",
  {
    resumeId: idText()
      .notNull()
      .references(() => resume.id, { onDelete: "cascade" }),
    kind: text({ enum: resumeVisitKinds }).notNull(),
    day: date({ mode: "string" }).notNull(),
    visitor: text().notNull(),
  },
  (table) => [
    uniqueIndex("resume_visit_unique").on(table.resumeId, table.kind, table.day, table.visitor),
    index("resume_visit_day_idx").on(table.day),
    check("resume_visit_kind_check", oneOf(table.kind, resumeVisitKinds)),
    pgPolicy("resume_visit_service_policy", { to: service, using: sql`true`, withCheck: sql`true` }),
    pgPolicy("resume_visit_own_policy", {
      for: "select",
      to: authenticated,
      using: sql`exists (select from ${resume} where ${and(eq(resume.id, table.resumeId), eq(resume.userId, authUid))})`,
    }),
  ],
);

export const resumeVisitAccess = access(resumeVisit, {
  authenticated: { select: ["resumeId", "kind", "day"] },
  service: { select: "all", insert: "all", delete: true },
});

export const resumeRelations = relations(resume, ({ one, many }) => ({
  user: one(user, { fields: [resume.userId], references: [user.id] }),
  visits: many(resumeVisit),
}));
export const resumeVisitRelations = relations(resumeVisit, ({ one }) => ({
  resume: one(resume, { fields: [resumeVisit.resumeId], references: [resume.id] }),
}));

export type Resume = typeof resume.$inferSelect;
export type NewResume = typeof resume.$inferInsert;
export type ResumeVisit = typeof resumeVisit.$inferSelect;
export type NewResumeVisit = typeof resumeVisit.$inferInsert;
