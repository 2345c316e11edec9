import { type ProcedureMeta, publicProcedure, router, userProcedure } from "../../core/procedures.ts";
import {
  createInput,
  duplicateInput,
  exportInput,
  importInput,
  listInput,
  renameInput,
  resumeIdInput,
  slugInput,
  thumbnailInput,
  updateInput,
} from "./input.ts";
import {
  deleteResume,
  publishResume,
  renameResume,
  restoreResume,
  unpublishResume,
  updateResume,
} from "./service/change.ts";
import { createResume, duplicateResume, importResume } from "./service/create.ts";
import { exportResume, getOwnResume, getPublicResume, getStats, listResumes } from "./service/read.ts";
import { setThumbnail } from "./service/thumbnail.ts";
import { trackVisit } from "./service/track.ts";

const read: ProcedureMeta = { scope: "resumes:read", trips: 2 };
const write: ProcedureMeta = { scope: "resumes:write", trips: 3 };
// A proposed slug that is taken costs a second INSERT.
const creation: ProcedureMeta = { ...write, maxTrips: 4 };

export const resumesRouter = router({
  list: userProcedure
    .meta(read)
    .input(listInput)
    .query(({ ctx, input }) => listResumes(ctx, input)),
  get: userProcedure
    .meta(read)
    .input(resumeIdInput)
    .query(({ ctx, input }) => getOwnResume(ctx, input)),
  export: userProcedure
    .meta(read)
    .input(exportInput)
    .query(({ ctx, input }) => exportResume(ctx, input)),
  stats: userProcedure
    .meta(read)
    .input(resumeIdInput)
    .query(({ ctx, input }) => getStats(ctx, input)),

  create: userProcedure
    .meta(creation)
    .input(createInput)
    .mutation(({ ctx, input }) => createResume(ctx, input)),
  import: userProcedure
    .meta(creation)
    .input(importInput)
    .mutation(({ ctx, input }) => importResume(ctx, input)),
  // Its INSERT needs the original's answer first.
  duplicate: userProcedure
    .meta({ ...write, trips: 4, maxTrips: 5 })
    .input(duplicateInput)
    .mutation(({ ctx, input }) => duplicateResume(ctx, input)),
  update: userProcedure
    .meta(write)
    .input(updateInput)
    .mutation(({ ctx, input }) => updateResume(ctx, input)),
  rename: userProcedure
    .meta(write)
    .input(renameInput)
    .mutation(({ ctx, input }) => renameResume(ctx, input)),
  publish: userProcedure
    .meta(write)
    .input(resumeIdInput)
    .mutation(({ ctx, input }) => publishResume(ctx, input)),
  unpublish: userProcedure
    .meta(write)
    .input(resumeIdInput)
    .mutation(({ ctx, input }) => unpublishResume(ctx, input)),
  delete: userProcedure
    .meta(write)
    .input(resumeIdInput)
    .mutation(({ ctx, input }) => deleteResume(ctx, input)),
  restore: userProcedure
    .meta(write)
    .input(resumeIdInput)
    .mutation(({ ctx, input }) => restoreResume(ctx, input)),
  setThumbnail: userProcedure
    .meta(write)
    .input(thumbnailInput)
    .mutation(({ ctx, input }) => setThumbnail(ctx, input)),

  bySlug: publicProcedure
    .meta({ ...read, trips: 1 })
    .input(slugInput)
    .query(({ ctx, input }) => getPublicResume(ctx, input)),
  trackView: publicProcedure
    .meta({ ...read, trips: 0 })
    .input(slugInput)
    .mutation(({ ctx, input }) => trackVisit(ctx, "view", input)),
  trackDownload: publicProcedure
    .meta({ ...read, trips: 0 })
    .input(slugInput)
    .mutation(({ ctx, input }) => trackVisit(ctx, "download", input)),
});
