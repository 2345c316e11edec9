import { defineModule } from "../../core/modules.ts";
import { mountAuth } from "./auth/routes.ts";
import { deleteExpired } from "./cron.ts";
import { composeOthers } from "./others.ts";
import { userRouter } from "./router.ts";
import { adminRouter } from "./staff/router.ts";

export const identity = defineModule({
  routers: { user: userRouter, admin: adminRouter },
  routes: mountAuth,
  crons: { "17 3 * * *": deleteExpired },
  compose: composeOthers,
});
