import { createInsertSchema, createSelectSchema, createUpdateSchema } from "drizzle-zod";
import { resume, resumeData, resumeVisit } from "../schema/resumes.ts";
import { ids } from "./ids.ts";

const documents = { ...ids(resume), data: () => resumeData, publicData: () => resumeData };

export const insertResumeSchema = createInsertSchema(resume, documents);
export const selectResumeSchema = createSelectSchema(resume, documents);
export const updateResumeSchema = createUpdateSchema(resume, documents);

export const insertResumeVisitSchema = createInsertSchema(resumeVisit, ids(resumeVisit));
export const selectResumeVisitSchema = createSelectSchema(resumeVisit, ids(resumeVisit));
export const updateResumeVisitSchema = createUpdateSchema(resumeVisit, ids(resumeVisit));
