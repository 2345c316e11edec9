import type { Letter } from "../../../core/mail/letter.tsx";

// No letter repeats what a stranger typed, such as a name: nobody can have us deliver a text of theirs.

const ignore = "If this was not you, ignore this e-mail; nothing will change.";

export function verifyEmailLetter(url: string): Letter {
  return {
    subject: "Confirm your e-mail address",
    paragraphs: ["Welcome! Confirm that this address is yours to finish signing up."],
    action: { label: "Confirm my address", url },
    note: `The link works for one hour. ${ignore}`,
  };
}

export function alreadyRegisteredLetter(): Letter {
  return {
    subject: "You already have an account",
    paragraphs: [
      "Somebody, probably you, tried to sign up with this address, but it already has an account.",
      "Sign in instead, or ask for a new password on the sign-in page.",
    ],
    note: ignore,
  };
}

export function resetPasswordLetter(url: string): Letter {
  return {
    subject: "Choose a new password",
    paragraphs: ["You asked for a new password. Choosing one signs you out everywhere."],
    action: { label: "Choose a new password", url },
    note: `The link works for one hour. ${ignore}`,
  };
}

const codeSubjects = {
  "sign-in": "Your sign-in code",
  "email-verification": "Your confirmation code",
  "forget-password": "Your code for a new password",
  "change-email": "Your code for a new e-mail address",
} as const;
export type CodeType = keyof typeof codeSubjects;

export function codeLetter(type: CodeType, code: string): Letter {
  return {
    subject: codeSubjects[type],
    paragraphs: ["Enter this code where you were asked for it:"],
    code,
    note: `The code works once, for five minutes. We never ask you for it on the phone. ${ignore}`,
  };
}
