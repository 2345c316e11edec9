import { defineModule } from "../../core/modules.ts";
import { resumesRouter } from "./router.ts";

export const resumes = defineModule({ routers: { resumes: resumesRouter } });
