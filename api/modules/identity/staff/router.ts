import { type ProcedureMeta, router, staffProcedure } from "../../../core/procedures.ts";
import { banInput, impersonateInput, sessionIdInput, userIdInput, userListInput } from "../input.ts";
import { impersonateUser, stopImpersonating } from "./impersonation.ts";
import { banUser, getUser, listUsers, unbanUser } from "./service.ts";

const read: ProcedureMeta = { scope: false, trips: 2 };
const write: ProcedureMeta = { scope: false, trips: 3 };

const usersRouter = router({
  list: staffProcedure
    .meta(read)
    .input(userListInput)
    .query(({ ctx, input }) => listUsers(ctx, input)),
  get: staffProcedure
    .meta(read)
    .input(userIdInput)
    .query(({ ctx, input }) => getUser(ctx, input)),
  ban: staffProcedure
    .meta(write)
    .input(banInput)
    .mutation(({ ctx, input }) => banUser(ctx, input)),
  unban: staffProcedure
    .meta(write)
    .input(userIdInput)
    .mutation(({ ctx, input }) => unbanUser(ctx, input)),
  impersonate: staffProcedure
    .meta({ ...write, trips: 4, secret: true })
    .input(impersonateInput)
    .mutation(({ ctx, input }) => impersonateUser(ctx, input)),
  stopImpersonating: staffProcedure
    .meta(write)
    .input(sessionIdInput)
    .mutation(({ ctx, input }) => stopImpersonating(ctx, input)),
});

export const adminRouter = router({ users: usersRouter });
