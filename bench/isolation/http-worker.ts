import worker from "../../api/worker.ts";
import { buildApp } from "./app.ts";

// The worker with careless procedures beside its own; never deployed.
export default { ...worker, fetch: buildApp().fetch };
