import { publicProcedure, router, userProcedure } from "../../core/procedures.ts";
import { listInput, slugInput } from "./input.ts";
import { findPublicBySlug } from "./queries.ts";
import { listResumes } from "./service.ts";

export const resumesRouter = router({
  list: userProcedure
    .meta({ scope: "resumes:read", trips: 2 })
    .input(listInput)
    .query(({ ctx, input }) => listResumes(ctx, input)),
  bySlug: publicProcedure
    .meta({ scope: "resumes:read", trips: 1 })
    .input(slugInput)
    .query(({ ctx, input }) => findPublicBySlug(ctx.db, input.slug)),
});
