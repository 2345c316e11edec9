import { defineModule } from "../../core/modules.ts";
import { mountAuth } from "./auth/routes.ts";
import { userRouter } from "./router.ts";

export const identity = defineModule({ routers: { user: userRouter }, routes: mountAuth });
