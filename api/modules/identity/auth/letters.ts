import { type Letter, renderLetter } from "../../../core/mail/letter.tsx";
import { sendLater } from "../../../core/mail/mailer.ts";
import {
  alreadyRegisteredLetter,
  type CodeType,
  codeLetter,
  resetPasswordLetter,
  verifyEmailLetter,
} from "../mail/letters.ts";
import { currentRequest } from "./current.ts";

type Addressee = { email: string };

async function post({ email }: Addressee, letter: Letter): Promise<void> {
  sendLater(currentRequest(), { to: email, ...renderLetter(letter) });
}

export const sendVerificationEmail = ({ user, url }: { user: Addressee; url: string }) =>
  post(user, verifyEmailLetter(url));

export const sendResetPassword = ({ user, url }: { user: Addressee; url: string }) =>
  post(user, resetPasswordLetter(url));

export const onExistingUserSignUp = ({ user }: { user: Addressee }) => post(user, alreadyRegisteredLetter());

export const sendVerificationOTP = ({ email, otp, type }: { email: string; otp: string; type: CodeType }) =>
  post({ email }, codeLetter(type, otp));
