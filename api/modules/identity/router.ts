import { type ProcedureMeta, router, userProcedure } from "../../core/procedures.ts";
import { sessionIdInput, updateUserInput } from "./input.ts";
import {
  deleteUser,
  exportUser,
  getMe,
  listSessions,
  revokeOtherSessions,
  revokeSession,
  updateUser,
} from "./service.ts";
import { stopImpersonating } from "./staff/impersonation.ts";

const read: ProcedureMeta = { scope: "user:read", trips: 2 };
const write: ProcedureMeta = { scope: "user:write", trips: 3 };

const sessionsRouter = router({
  list: userProcedure.meta(read).query(({ ctx }) => listSessions(ctx)),
  revoke: userProcedure
    .meta(write)
    .input(sessionIdInput)
    .mutation(({ ctx, input }) => revokeSession(ctx, input)),
  revokeOthers: userProcedure.meta(write).mutation(({ ctx }) => revokeOtherSessions(ctx)),
});

export const userRouter = router({
  me: userProcedure.meta({ ...read, trips: 1 }).query(({ ctx }) => getMe(ctx)),
  update: userProcedure
    .meta(write)
    .input(updateUserInput)
    .mutation(({ ctx, input }) => updateUser(ctx, input)),
  export: userProcedure.meta(read).query(({ ctx }) => exportUser(ctx)),
  delete: userProcedure.meta(write).mutation(({ ctx }) => deleteUser(ctx)),
  stopImpersonating: userProcedure.meta(write).mutation(({ ctx }) => stopImpersonating(ctx)),
  sessions: sessionsRouter,
});
