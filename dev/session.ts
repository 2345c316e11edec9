import { createHmac, randomBytes } from "node:crypto";
import { eq, session, user } from "@repo/db";
import { connect } from "@repo/db/client";
import { Refusal } from "@repo/db/scripts/cli";

const lifetimeMs = 10 * 60 * 1000;

export interface TemporarySession {
  /** Value of the header `authorization`. */
  authorization: string;
  /** Removes the session. */
  end(): Promise<void>;
}

/**
 * Opens a session of ten minutes for the user with this e-mail address, as the owner at `url`, its token signed as
 * sign-in signs it.
 * @throws Refusal when there is no such user.
 */
export async function openSession(url: string, email: string, secret: string): Promise<TemporarySession> {
  const { db, close } = connect(url);
  try {
    const [found] = await db.select({ id: user.id }).from(user).where(eq(user.email, email.toLowerCase()));
    if (!found) throw new Refusal(`Nobody has the address ${email}; bun db:seed makes demo@example.com.`);
    const token = randomBytes(24).toString("base64url");
    const expiresAt = new Date(Date.now() + lifetimeMs);
    await db.insert(session).values({ token, userId: found.id, expiresAt, userAgent: "bun call" });
    const signature = createHmac("sha256", secret).update(token).digest("base64");
    return {
      authorization: `Bearer ${token}.${signature}`,
      async end() {
        await db.delete(session).where(eq(session.token, token));
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
