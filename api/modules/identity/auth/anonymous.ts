import { and, eq, inArray, user } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { anonymous } from "better-auth/plugins/anonymous";
import { adoptFromModules } from "../others.ts";
import { currentDb } from "./current.ts";

/** Visitors try things out under an account without an address; once they sign in, what they made becomes theirs. */
export function anonymously() {
  return anonymous({
    generateRandomEmail: () => `${newId("guest")}@guest.invalid`,
    generateName: () => "Guest",
    // Done below, in one transaction with what it would delete.
    disableDeleteAnonymousUser: true,
    onLinkAccount: ({ anonymousUser, newUser }) => adopt(anonymousUser.user.id, newUser.user),
  });
}

/** Hands over what the guest has and deletes the guest, both or neither. */
async function adopt(guestId: string, { id, isAnonymous }: { id: string; isAnonymous?: unknown }): Promise<void> {
  if (guestId === id || isAnonymous) return;
  const guest = and(eq(user.id, guestId), eq(user.isAnonymous, true));
  await currentDb.transaction(async (tx) => {
    // Under the lock nothing new can be made in the guest's name.
    await tx
      .select({ id: user.id })
      .from(user)
      .where(inArray(user.id, [guestId, id]))
      .orderBy(user.id)
      .for("update");
    const [held] = await tx.select({ id: user.id }).from(user).where(guest);
    if (!held) return;
    await adoptFromModules(tx, { guestId, userId: id });
    await tx.delete(user).where(guest);
  });
}
