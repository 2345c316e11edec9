import { router, userProcedure } from "../../core/procedures.ts";

export const userRouter = router({
  me: userProcedure.meta({ scope: "user:read", trips: 1 }).query(({ ctx }) => ({
    ...ctx.caller.user,
    impersonatedBy: ctx.caller.impersonatedBy,
    membership: ctx.caller.membership,
  })),
});
