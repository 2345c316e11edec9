import type { Letter } from "../../core/mail/letter.tsx";

export interface InvitationLetter {
  /** Verified address of whoever invites. */
  inviter: string;
  /** The organization's slug; its name is free text, which nobody should have us deliver to strangers. */
  slug: string;
  url: string;
  /** How long the invitation holds, in days. */
  days: number;
}

export function invitationLetter({ inviter, slug, url, days }: InvitationLetter): Letter {
  return {
    subject: `Invitation to ${slug}`,
    paragraphs: [
      `${inviter} invites you to join the organization "${slug}".`,
      "Sign in or sign up with this e-mail address to accept.",
    ],
    action: { label: "See the invitation", url },
    note: `The invitation holds for ${days} days. If you do not know the sender, ignore this e-mail.`,
  };
}
