import { createInsertSchema, createSelectSchema, createUpdateSchema } from "drizzle-zod";
import { member, organization } from "../schema/organizations.ts";
import { ids } from "./ids.ts";

export const insertOrganizationSchema = createInsertSchema(organization, ids(organization));
export const selectOrganizationSchema = createSelectSchema(organization, ids(organization));
export const updateOrganizationSchema = createUpdateSchema(organization, ids(organization));

export const insertMemberSchema = createInsertSchema(member, ids(member));
export const selectMemberSchema = createSelectSchema(member, ids(member));
export const updateMemberSchema = createUpdateSchema(member, ids(member));
