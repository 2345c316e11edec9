import { defineModule } from "../../core/modules.ts";
import { cleanUpOrganizations } from "./cron.ts";
import { organizationRouter } from "./router.ts";
import { exportMemberships, leaveBeforeDeletion } from "./user.ts";

export const organizations = defineModule({
  routers: { organization: organizationRouter },
  crons: { "17 3 * * *": cleanUpOrganizations },
  exportUser: exportMemberships,
  beforeDeleteUser: leaveBeforeDeletion,
});
