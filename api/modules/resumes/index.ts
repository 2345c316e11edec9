import { defineModule } from "../../core/modules.ts";
import { adoptResumes } from "./adopt.ts";
import { cleanUpResumes } from "./cron.ts";
import { exportResumes } from "./export.ts";
import { visitJob } from "./jobs.ts";
import { resumesRouter } from "./router.ts";
import { mountThumbnails } from "./routes.ts";

export const resumes = defineModule({
  routers: { resumes: resumesRouter },
  routes: mountThumbnails,
  jobs: [visitJob],
  crons: { "17 3 * * *": cleanUpResumes },
  exportUser: exportResumes,
  adoptUser: adoptResumes,
});
