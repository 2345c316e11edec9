import { and, eq, invitation, lt, lte, organization } from "@repo/db";
import { withDeleted } from "@repo/db/schema/columns";
import { type Runtime, withDirectDb } from "../../core/context.ts";
import { asService } from "../../core/database/service.ts";

const restorableDays = 30;

/** Every night: closes invitations that nobody took up, removes organizations deleted 30 days ago with all they held. */
export async function cleanUpOrganizations(runtime: Runtime): Promise<void> {
  const now = new Date();
  const due = new Date(now.getTime() - restorableDays * 86_400_000);
  await withDirectDb(runtime, (dbDirect) =>
    asService(dbDirect, async (tx) => {
      await tx
        .update(invitation)
        .set({ status: "expired" })
        .where(and(eq(invitation.status, "pending"), lte(invitation.expiresAt, now)));
      await tx.delete(organization).where(and(withDeleted(organization), lt(organization.deletedAt, due)));
    }),
  );
}
