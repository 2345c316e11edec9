import { defineModule } from "../../core/modules.ts";
import { keyCaller } from "./caller.ts";
import { cleanUpUsage } from "./cron.ts";
import { exportApiKeys } from "./export.ts";
import { usageJob } from "./jobs.ts";
import { withUsage } from "./middleware.ts";
import { apiKeysRouter, usageRouter } from "./router.ts";
import { composeScopes } from "./scopes.ts";

export const apiKeys = defineModule({
  routers: { apiKeys: apiKeysRouter, usage: usageRouter },
  callers: keyCaller,
  middleware: withUsage,
  jobs: [usageJob],
  crons: { "17 3 * * *": cleanUpUsage },
  exportUser: exportApiKeys,
  compose: composeScopes,
});
