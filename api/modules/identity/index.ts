import { defineModule } from "../../core/modules.ts";
import { userRouter } from "./router.ts";

export const identity = defineModule({ routers: { user: userRouter } });
