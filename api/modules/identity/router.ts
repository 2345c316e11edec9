import { type ProcedureMeta, router, sessionProcedure, userProcedure } from "../../core/procedures.ts";
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

const read: ProcedureMeta = { scope: "user:read", trips: 2 };
const write: ProcedureMeta = { scope: "user:write", trips: 3 };
// What is about signing in, or gives away all there is, is not for keys.
const inPerson = { scope: false } as const;

const sessionsRouter = router({
  list: userProcedure.meta({ ...read, ...inPerson }).query(({ ctx }) => listSessions(ctx)),
  revoke: userProcedure
    .meta({ ...write, ...inPerson })
    .input(sessionIdInput)
    .mutation(({ ctx, input }) => revokeSession(ctx, input)),
  revokeOthers: sessionProcedure.meta({ ...write, ...inPerson }).mutation(({ ctx }) => revokeOtherSessions(ctx)),
});

export const userRouter = router({
  me: userProcedure.meta({ ...read, trips: 1 }).query(({ ctx }) => getMe(ctx)),
  update: userProcedure
    .meta(write)
    .input(updateUserInput)
    .mutation(({ ctx, input }) => updateUser(ctx, input)),
  export: userProcedure.meta({ ...read, ...inPerson }).query(({ ctx }) => exportUser(ctx)),
  delete: sessionProcedure.meta({ ...write, ...inPerson }).mutation(({ ctx }) => deleteUser(ctx)),
  sessions: sessionsRouter,
});
